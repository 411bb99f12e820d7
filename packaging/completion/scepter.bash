# SPDX-License-Identifier: Apache-2.0
# bash completion of scepter, scepterctl and scepterd. The first two answer themselves what a word could be: a line for each
# candidate, with a tab and what it means behind it; ":file" wants a file's name.

_scepter() {
	local current=${COMP_WORDS[COMP_CWORD]} word _
	COMPREPLY=()
	while IFS=$'\t' read -r word _; do
		if [[ $word == :file ]]; then
			[[ $current == = ]] && current=
			mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$current")
		else
			COMPREPLY+=("$word")
		fi
	done < <("$1" --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

_scepterd() {
	local current=${COMP_WORDS[COMP_CWORD]}
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--config | --restore)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		;;
	--old-passphrase)
		mapfile -t COMPREPLY < <(compgen -W 'credential: file: fd: prompt' -- "$current")
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "$("$1" --help | grep -oE '^ +--[a-z-]+')" -- "$current")
		;;
	esac
}

complete -o filenames -F _scepter scepter scepterctl
complete -o filenames -F _scepterd scepterd
