using System.Diagnostics;
using PaDiM.Cli.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Cli.Tests;

public sealed class CompletionTests
{
    private const string InBash =
            """
                source <(padim completion bash)
                COMP_LINE=$1 COMP_POINT=${#1}
                _padim_complete
                printf '%s\n' "${COMPREPLY[@]}"
                """,
        InZsh =
            """
                autoload -Uz compinit && compinit -u -D
                source <(padim completion zsh)
                compadd() { shift; printf '%s\n' $@ }
                _files() { printf '\n' }
                LBUFFER=$1
                _padim
                """,
        InFish =
            """
                padim completion fish | source
                complete -C "$argv[1]"
                """;

    [Theory]
    [InlineData("padim sa", "samples")]
    [InlineData("padim fit parts --backb", "--backbone", "--backbones")]
    [InlineData("padim fit parts --backbone ", "tiny", "tiny-int8")]
    [InlineData("padim fit parts --backbone tiny-", "tiny-int8")]
    [InlineData("padim fit parts --profile ", "default", "paper")]
    [InlineData("padim fit parts --reduction r", "random")]
    [InlineData("padim score m a.png --heatmap-style m", "map", "mask")]
    [InlineData("padim fit parts --device c", "cpu", "cuda")]
    [InlineData("padim backbones q", "quantize")]
    [InlineData("padim completion z", "zsh")]
    public void Bash_completes_commands_options_and_values(string line, params string[] expected) =>
        Assert.Equal(expected, Complete("bash", InBash, line));

    [Fact]
    public void Bash_completes_files_where_no_values_are_known()
    {
        Assert.Equal([""], Complete("bash", InBash, "padim fit "));
        Assert.Contains(
            "complete -o default ",
            Padim.Run("completion", "bash").Succeeded().Output,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("zsh", InZsh, "padim fit parts --backbone tiny-", "tiny-int8")]
    [InlineData("zsh", InZsh, "padim fit ", "")]
    [InlineData("fish", InFish, "padim fit parts --backbone tiny-", "tiny-int8")]
    [InlineData("fish", InFish, "padim fit parts --profile ", "default", "paper")]
    public void Other_shells_do_too(string shell, string script, string line, params string[] expected) =>
        Assert.Equal(expected, Complete(shell, script, line));

    [Theory]
    [InlineData("pwsh", "Register-ArgumentCompleter")]
    [InlineData("fish", "complete -c padim")]
    [InlineData("zsh", "compdef _padim padim")]
    public void Every_shell_has_a_script(string shell, string expected) =>
        Assert.Contains(expected, Padim.Run("completion", shell).Succeeded().Output, StringComparison.Ordinal);

    [Fact]
    public void An_unknown_shell_is_wrong_usage() => Padim.Run("completion", "cmd").Failed(2);

    private static string[] Complete(string shell, string script, string line)
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, shell))
            .FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, $"{shell} is not installed.");
        using var folder = new TempDirectory();
        File.WriteAllText(folder.Combine("script"), script);
        var start = new ProcessStartInfo(program, [folder.Combine("script"), line])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder.Path,
        };
        start.Environment["PATH"] = $"{AppContext.BaseDirectory}{Path.PathSeparator}{start.Environment["PATH"]}";
        start.Environment["HOME"] = folder.Path;
        using var process = Process.Start(start)!;
        var ran = Padim.End(process).Succeeded();
        return ran.Output.Split('\n')[..^1];
    }
}
