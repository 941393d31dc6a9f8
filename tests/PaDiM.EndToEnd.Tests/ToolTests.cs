using System.Diagnostics;
using System.Runtime.InteropServices;
using PaDiM.EndToEnd.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.EndToEnd.Tests;

/// <summary><c>padim</c> as users install it: from a package, and as a single file.</summary>
public sealed class ToolTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    private static string Platform => RuntimeInformation.RuntimeIdentifier;

    private static string Runtime => Path.GetDirectoryName(typeof(object).Assembly.Location)!;

    private static string FileName => OperatingSystem.IsWindows() ? "padim.exe" : "padim";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_package_installs_and_the_tool_fits_and_scores()
    {
        var feed = _folder.Combine("feed");
        await Sdk.BuildAsync(
            "pack",
            "PaDiM.Cli",
            "--no-restore",
            $"-p:ToolPackageRuntimeIdentifiers={Platform}",
            "-o",
            feed
        );
        var install = new ProcessStartInfo(
            "dotnet",
            ["tool", "install", "PaDiM.Tool", "--tool-path", _folder.Combine("bin"), "--source", feed]
        )
        {
            WorkingDirectory = _folder.Path,
            Environment =
            {
                ["NUGET_PACKAGES"] = _folder.Combine("packages"),
                ["DOTNET_CLI_HOME"] = Directory.CreateDirectory(_folder.Combine("home")).FullName,
            },
        };
        await Programs.RunAsync(install);

        await FitAndScoreAsync(Path.Combine(_folder.Combine("bin"), FileName));

        long[] sizes = [.. Directory.GetFiles(feed).Select(file => new FileInfo(file).Length).Order()];
        Assert.Equal(2, sizes.Length);
        Assert.InRange(sizes[0], 1, 10_000);
        // More would be the libraries of another platform.
        Assert.InRange(sizes[1], 1, 40_000_000);
    }

    /// <summary>
    /// The file that users publish has .NET inside and is compressed, which needs a package with .NET. This one is made
    /// and unpacked the same way.
    /// </summary>
    [Fact]
    public async Task A_single_file_has_everything_that_the_program_reads()
    {
        var published = _folder.Combine("published");
        await Sdk.BuildAsync(
            "publish",
            "PaDiM.Cli",
            "--no-restore",
            "-r",
            Platform,
            "-p:PublishSingleFile=true",
            "--self-contained",
            "false",
            "-o",
            published
        );

        var file = Assert.Single(Directory.EnumerateFileSystemEntries(published));
        await FitAndScoreAsync(file);
    }

    private async Task FitAndScoreAsync(string padim)
    {
        var home = Directory.CreateDirectory(_folder.Combine("home")).FullName;
        var work = Directory.CreateDirectory(_folder.Combine("work")).FullName;
        await RunAsync("samples", "parts", "--size", "96");
        await RunAsync("fit", "parts/train/good", "--out", "model", "--image-size", "96", "--dimensions", "40");
        Assert.Matches(": [3-5] anomalous", await RunAsync("score", "model", "parts/test/dent"));

        Task<string> RunAsync(params string[] arguments)
        {
            var start = new ProcessStartInfo(padim, arguments) { WorkingDirectory = work };
            start.Environment.Clear();
            start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(Runtime, "..", "..", ".."));
            start.Environment["HOME"] = home;
            start.Environment["TMPDIR"] = _folder.Path;
            return Programs.RunAsync(start);
        }
    }
}
