using System.Diagnostics;
using PaDiM.TestSupport;

namespace PaDiM.Client.Tests.Support;

/// <summary>The TypeScript client, built once for the tests of a class.</summary>
public sealed class BuiltTypeScriptClient : IDisposable
{
    private static readonly string Folder = Path.Combine(Repository.Root, "clients", "typescript");
    private readonly SemaphoreSlim _building = new(1, 1);
    private bool _isBuilt;

    /// <summary>Builds it; the test is skipped where Node.js is absent or too old.</summary>
    public async Task BuildAsync()
    {
        Assert.SkipUnless(await HasNodeAsync(), "Node.js 20.19 or later is absent.");
        await _building.WaitAsync();
        try
        {
            if (_isBuilt)
                return;
            var installed = Path.Combine(Folder, "node_modules", ".installed-lock.json");
            var locked = Path.Combine(Folder, "package-lock.json");
            if (
                !File.Exists(installed)
                || await File.ReadAllTextAsync(installed) != await File.ReadAllTextAsync(locked)
            )
            {
                await RunAsync("npm", "ci", "--no-audit", "--no-fund", "--no-update-notifier");
                File.Copy(locked, installed, overwrite: true);
            }
            await RunAsync("npm", "run", "--silent", "build");
            _isBuilt = true;
        }
        finally
        {
            _building.Release();
        }
    }

    /// <summary>Runs a program in the folder of the client, and expects it to succeed.</summary>
    internal static Task RunAsync(string program, params string[] arguments) =>
        Programs.RunAsync(new ProcessStartInfo(program, arguments) { WorkingDirectory = Folder });

    public void Dispose() => _building.Dispose();

    private static async Task<bool> HasNodeAsync()
    {
        const string check =
            "const [a, b] = process.versions.node.split('.'); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)";
        try
        {
            await RunAsync("node", "-e", check);
            return true;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            return false;
        }
    }
}
