# SPDX-License-Identifier: Apache-2.0
# fish completion of scepter and scepterctl. They answer themselves what a word could be: a line for each candidate, with a
# tab and what it means behind it; ":file" wants a file's name.

function __scepter_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] --complete $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = :file
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end

complete -c scepter -f -a '(__scepter_complete)'
complete -c scepterctl -f -a '(__scepter_complete)'
