using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests.Support;

/// <summary>AWS's SDK for JavaScript, from the npm registry. Tests that need it skip, visibly, without npm.</summary>
internal static class AwsSdk
{
    /// <summary>Why a test that needs it is skipped.</summary>
    public const string Missing = "npm is absent: install Node.js 20.19 or later.";

    private static readonly string Sources = Path.Combine(AppContext.BaseDirectory, "LookoutForVision");

    /// <summary>Whether there is npm.</summary>
    public static bool IsPresent =>
        Environment
            .GetEnvironmentVariable("PATH")!
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, OperatingSystem.IsWindows() ? "npm.cmd" : "npm")));

    /// <summary>Installs the SDK, runs the script, and gets what it prints.</summary>
    public static async Task<JsonNode> RunAsync(object given)
    {
        using var folder = new TempDirectory();
        foreach (var file in Directory.EnumerateFiles(Sources))
            File.Copy(file, folder.Combine(Path.GetFileName(file)));
        await RunAsync(folder.Path, "npm", ["ci", "--silent", "--no-audit", "--no-fund"], "");
        return JsonNode.Parse(await RunAsync(folder.Path, "node", ["sdk.mjs"], JsonSerializer.Serialize(given)))!;
    }

    private static Task<string> RunAsync(string folder, string program, string[] arguments, string input) =>
        Programs.RunAsync(
            new ProcessStartInfo(program, arguments)
            {
                WorkingDirectory = folder,
                // No file with credentials, no service of a cloud's machines.
                Environment = { ["AWS_EC2_METADATA_DISABLED"] = "true", ["AWS_PROFILE"] = "" },
            },
            input
        );
}
