# SPDX-License-Identifier: Apache-2.0
# fish completion of scepterd.

complete -c scepterd -f
complete -c scepterd -l config -r -F -d configuration
complete -c scepterd -l check -d 'say whether the configuration is good, and end'
complete -c scepterd -l protect-keys -d "encrypt the keeper's plain key files, and end"
complete -c scepterd -l old-passphrase -x -a 'credential: file: fd: prompt' -d 'they were under this one'
complete -c scepterd -l restore -r -F -d 'take back what scepterctl backup made, and end'
complete -c scepterd -l keep-challenges -d 'do not revoke the challenges that were open'
complete -c scepterd -l foreground -d 'stay in the foreground'
complete -c scepterd -l version -d 'print the version, and end'
complete -c scepterd -l help -d 'print the options, and end'
