using System.Diagnostics;
using System.Text;
using PaDiM.TestSupport;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>
/// The program as users get it: published once for all tests, and running as a process of its own on a free port.
/// </summary>
public sealed class PublishedService : IAsyncLifetime
{
    private const string Configuration =
#if DEBUG
        "Debug";
#else
        "Release";
#endif
    private static readonly TimeSpan PublishLimit = TimeSpan.FromMinutes(5),
        StartLimit = TimeSpan.FromSeconds(60);
    private readonly TempDirectory _folder = new();
    private readonly StringBuilder _log = new();
    private Process? _process;

    /// <summary>Root of the repository.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>Where the program listens.</summary>
    public Uri Address { get; } = new($"http://127.0.0.1:{FreePort.Find()}");

    /// <summary>Speaks to the program.</summary>
    public ServiceClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var program = _folder.Combine("program");
        // The build of this project has built it. Build servers would outlive the command and keep its pipes open.
        await RunAsync(
            "dotnet",
            "publish",
            Path.Combine(Repository, "src", "PaDiM.Service"),
            "-c",
            Configuration,
            "--no-build",
            "-o",
            program,
            "-nodeReuse:false",
            "--nologo"
        );
        var start = new ProcessStartInfo(
            Path.Combine(program, OperatingSystem.IsWindows() ? "PaDiM.Service.exe" : "PaDiM.Service")
        )
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["DOTNET_TieredPGO"] = "0",
                ["ASPNETCORE_URLS"] = Address.ToString(),
                ["Padim__DataDirectory"] = _folder.Combine("data"),
                ["Padim__Device"] = "cpu",
                ["Padim__Access"] = "open",
            },
        };
        if (SharedFolder.Has("backbones"))
            start.Environment["Padim__BackboneDirectories__0"] = SharedFolder.Path("backbones");
        _process = Process.Start(start)!;
        _process.OutputDataReceived += Log;
        _process.ErrorDataReceived += Log;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Client = new ServiceClient(Address);
        await WaitUntilReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (_process is { HasExited: false })
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        _process?.Dispose();
        _folder.Dispose();
    }

    private async Task WaitUntilReadyAsync()
    {
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < StartLimit; await Task.Delay(100))
        {
            if (_process!.HasExited)
                break;
            if (await Client.IsReadyAsync())
                return;
        }
        lock (_log)
            throw new InvalidOperationException($"The published program did not become ready:\n{_log}");
    }

    private static async Task RunAsync(string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // A test run that MSBuild started tells its children where MSBuild lies, which is not always where theirs does.
        foreach (
            var name in start
                .Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase))
                .ToArray()
        )
            start.Environment.Remove(name);
        using var limit = new CancellationTokenSource(PublishLimit);
        using var running = Process.Start(start)!;
        var output = running.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = running.StandardError.ReadToEndAsync(limit.Token);
        await running.WaitForExitAsync(limit.Token);
        if (running.ExitCode != 0)
            throw new InvalidOperationException(
                $"{command} {string.Join(' ', arguments)} failed:\n{await output}{await errors}"
            );
    }

    private void Log(object sender, DataReceivedEventArgs line)
    {
        lock (_log)
            _log.AppendLine(line.Data);
    }

    private static string FindRepository()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "PaDiM.Service.sln")))
                return at.FullName;
        throw new DirectoryNotFoundException("PaDiM.Service.sln lies nowhere above the test program.");
    }
}
