using System.Diagnostics;
using PaDiM.Cli.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Cli.Tests.Evaluation;

public sealed class ResumeTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public ResumeTests()
    {
        TinyDataset.WriteMvtec(_folder.Combine("root", "bolt"));
        TinyDataset.WriteMvtec(_folder.Combine("root", "nut"), training: 100);
    }

    [Fact]
    public void A_killed_run_resumes_after_its_finished_work_and_gives_the_same_result()
    {
        KillAfterTheFirstCategory();
        var resumed = Padim.Run(Command("state")).Succeeded();
        Assert.Contains("1 of 2 results are taken", resumed.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("bolt (", resumed.Error, StringComparison.Ordinal);
        Assert.Contains("nut (1 of 1)", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(Padim.Run(Command("other")).Succeeded().Output, resumed.Output);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Combine("state")));
    }

    [Fact]
    public void An_interrupted_run_keeps_the_embeddings_of_the_current_category()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such signals.");
        var stopped = Interrupt();
        // On a busy machine the run may end before the signal arrives; it leaves nothing, and the next one starts over.
        for (var tries = 1; stopped.ExitCode == 0 && tries < 5; tries++)
            stopped = Interrupt();
        Assert.Equal(1, stopped.ExitCode);
        Assert.Contains("run the same command again to resume", stopped.Error, StringComparison.Ordinal);
        Assert.Contains("stopped", stopped.Error, StringComparison.Ordinal);
        Assert.NotEmpty(Kept());
        Assert.Contains(
            "Resuming an interrupted run",
            Padim.Run(Command("state")).Succeeded().Error,
            StringComparison.Ordinal
        );
        Assert.Empty(Kept());
    }

    [Fact]
    public void Changed_files_and_other_settings_are_measured_again()
    {
        KillAfterTheFirstCategory();
        Assert.DoesNotContain(
            "Resuming",
            Padim.Run([.. Command("state"), "--epsilon", "0.02", "--category", "bolt"]).Succeeded().Error,
            StringComparison.Ordinal
        );
        File.SetLastWriteTimeUtc(_folder.Combine("root", "bolt", "test", "good", "000.bmp"), DateTime.UnixEpoch);
        Assert.Contains("bolt (1 of 2)", Padim.Run(Command("state")).Succeeded().Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Combine("state")));
    }

    [Fact]
    public void Two_runs_of_the_same_command_do_not_share_their_state()
    {
        KillAfterTheFirstCategory();
        var state = Assert.Single(Directory.EnumerateDirectories(_folder.Combine("state")));
        using (new FileStream(Path.Combine(state, "lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            Assert.Contains(
                "running in another process",
                Padim.Run(Command("state")).Failed(1),
                StringComparison.Ordinal
            );
        Assert.Contains(
            "1 of 2 results are taken",
            Padim.Run(Command("state")).Succeeded().Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_state_that_other_users_could_have_written_is_not_trusted()
    {
        // Folders have no such mode on Windows.
        if (OperatingSystem.IsWindows())
            return;
        KillAfterTheFirstCategory();
        var state = Assert.Single(Directory.EnumerateDirectories(_folder.Combine("state")));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(state)
        );
        File.SetUnixFileMode(state, File.GetUnixFileMode(state) | UnixFileMode.OtherWrite);
        Assert.Contains("Other users can write", Padim.Run(Command("state")).Failed(1), StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_run_without_results_leaves_nothing()
    {
        Padim
            .Run("evaluate", _folder.Combine("root"), "--state", _folder.Combine("state"), "--dimensions", "1000")
            .Failed(1);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Combine("state")));
    }

    public void Dispose() => _folder.Dispose();

    private void KillAfterTheFirstCategory()
    {
        using var process = Padim.Start(Command("state"));
        Assert.Contains("bolt (1 of 2)", process.StandardError.ReadLine(), StringComparison.Ordinal);
        process.Kill();
        process.WaitForExit();
        Assert.NotEqual(0, process.ExitCode);
    }

    private string[] Command(string state) =>
        ["evaluate", _folder.Combine("root"), "--json", "--state", _folder.Combine(state), .. TinyDataset.Quick];

    /// <summary>
    /// Sends SIGTERM, not SIGINT: a shell that runs the tests in the background makes its children ignore SIGINT.
    /// </summary>
    private Ran Interrupt()
    {
        using var process = Padim.Start(Command("state"));
        process.StandardError.ReadLine();
        Until(() => Kept().Length >= 8 || process.HasExited);
        Process.Start("kill", ["-TERM", $"{process.Id}"]).WaitForExit();
        return Padim.End(process);
    }

    private string[] Kept() =>
        Directory.Exists(_folder.Combine("state"))
            ?
            [
                .. Directory
                    .EnumerateFiles(_folder.Combine("state"), "*.safetensors", SearchOption.AllDirectories)
                    .Where(file => file.Contains($"nut{Path.DirectorySeparatorChar}", StringComparison.Ordinal)),
            ]
            : [];

    private static void Until(Func<bool> holds)
    {
        var watch = Stopwatch.StartNew();
        while (!holds())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30));
            Thread.Sleep(5);
        }
    }
}
