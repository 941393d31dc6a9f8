# Completion of padim for fish: padim completion fish | source
function __padim_complete
    set -l line (commandline -cp)
    set -l word (commandline -ct)
    set -l found (padim "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)
    # Options are offered where one is begun. Elsewhere, what has no list of values is a file.
    if not string match -q -- '-*' "$word"
        set found (string match -r -v -- '^(-|/[?h]$)' $found)
    end
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path "$word"
    end
end
complete -c padim -f -a '(__padim_complete)'
