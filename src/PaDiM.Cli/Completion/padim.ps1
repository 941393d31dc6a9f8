# Completion of padim for PowerShell: padim completion pwsh | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName padim -ScriptBlock {
    param($word, $command, $position)
    # The text of the command ends before the spaces at the cursor.
    $line = "$command".PadRight($position - $command.Extent.StartOffset)
    padim "[suggest:$($line.Length)]" $line 2>$null |
        # Options are offered where one is begun. Elsewhere, what has no list of values is a file.
        Where-Object { $word.StartsWith('-') -or $_ -notmatch '^(-|/[?h]$)' } |
        Where-Object { $_.StartsWith($word, 'OrdinalIgnoreCase') } |
        ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
}
