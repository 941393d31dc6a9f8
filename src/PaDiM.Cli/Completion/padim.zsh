#compdef padim
# Completion of padim for zsh: source <(padim completion zsh)
_padim() {
    local line=$LBUFFER word=${LBUFFER##*[[:space:]]}
    local -a found
    found=(${(f)"$(padim "[suggest:${#line}]" "$line" 2>/dev/null)"})
    # Options are offered where one is begun. Elsewhere, what has no list of values is a file.
    [[ $word == -* ]] || found=(${found:#(-*|/[?h])})
    if (( ${#found} )); then
        compadd -- $found
    else
        _files
    fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _padim padim
