# Completion of padim for bash: source <(padim completion bash)
_padim_complete() {
    local line=${COMP_LINE:0:COMP_POINT} words word
    COMPREPLY=()
    # Bash cuts words at = and :, the line is cut at spaces.
    word=${line##*[[:space:]]}
    words=$(padim "[suggest:${#line}]" "$line" 2>/dev/null) || return
    # Options are offered where one is begun. Elsewhere, what has no list of values is a file.
    if [[ $word != -* ]]; then
        words=$(grep -v -e '^-' -e '^/[?h]$' <<<"$words")
    fi
    local IFS=$'\n'
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _padim_complete padim
