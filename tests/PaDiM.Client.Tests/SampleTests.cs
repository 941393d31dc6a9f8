using System.Diagnostics;
using PaDiM.Client.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Client.Tests;

/// <summary>Runs the sample against a real service. It is built without reflection for JSON.</summary>
public sealed class SampleTests(SharedService shared)
{
    [Fact]
    public async Task The_sample_scores_what_arrives_in_a_folder()
    {
        var category = await shared.FittedAsync();
        using var folder = new TempDirectory();
        await File.WriteAllBytesAsync(folder.Combine("1.bmp"), Parts.Good(70));
        var sample = Path.Combine(
            Repository.Root,
            "samples",
            "WatchFolder",
            "bin",
            Built.Configuration,
            Built.Framework,
            "WatchFolder.dll"
        );
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", [sample, folder.Path, category, shared.Address.ToString()])
            {
                RedirectStandardOutput = true,
            }
        )!;
        try
        {
            Assert.StartsWith("1.bmp normal", await ReadLineAsync(process), StringComparison.Ordinal);
            await File.WriteAllBytesAsync(folder.Combine("2.bmp"), Parts.Bad(71));
            Assert.StartsWith("2.bmp anomalous", await ReadLineAsync(process), StringComparison.Ordinal);
            await File.WriteAllTextAsync(folder.Combine("3.bmp"), "not an image");
            Assert.Contains("image_", await ReadLineAsync(process), StringComparison.Ordinal);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    private static async Task<string> ReadLineAsync(Process process) =>
        await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) ?? "the sample has ended";
}
