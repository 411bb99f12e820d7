#compdef scepter scepterctl scepterd
# SPDX-License-Identifier: Apache-2.0
# zsh completion. scepter and scepterctl answer themselves what a word could be: a line for each candidate, with a tab and
# what it means behind it; ":file" wants a file's name.

_scepter_word() {
	local word help
	local -a known
	while IFS=$'\t' read -r word help; do
		if [[ $word == :file ]]; then
			_files
		else
			known+=("${word//:/\\:}:$help")
		fi
	done < <($words[1] --complete "${(@)words[2,CURRENT]}" 2>/dev/null)
	if (( $#known )); then
		_describe choice known
	fi
}

_scepterd_word() {
	_arguments \
		'--config[configuration]:file:_files' \
		'--check[say whether the configuration is good, and end]' \
		"--protect-keys[encrypt the keeper's plain key files, and end]" \
		'--old-passphrase[they were under this one]:source:(credential\: file\: fd\: prompt)' \
		'--restore[take back what scepterctl backup made, and end]:directory:_files -/' \
		'--keep-challenges[do not revoke the challenges that were open]' \
		'--foreground[stay in the foreground]' \
		'--version[print the version, and end]' \
		'--help[print the options, and end]'
}

if [[ $service == scepterd ]]; then
	_scepterd_word
else
	_scepter_word
fi
