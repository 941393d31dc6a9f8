using System.Diagnostics;
using PaDiM.TestSupport;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>
/// The program as users get it: published once for all tests, and running as a process of its own on a free port.
/// </summary>
public sealed class PublishedService : IAsyncLifetime
{
    private readonly TempDirectory _folder = new();
    private StartedService? _started;

    /// <summary>Root of the repository.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>Gets the file to start: the program of the service.</summary>
    public string Program { get; private set; } = "";

    /// <summary>Where the program listens.</summary>
    public Uri Address { get; } = new($"http://127.0.0.1:{FreePort.Find()}");

    /// <summary>Speaks to the program.</summary>
    public ServiceClient Client => _started!.Client;

    public async ValueTask InitializeAsync()
    {
        Program = await PublishAsync("PaDiM.Service", "PaDiM.Service", _folder.Combine("program"));
        var start = Describe(Address, _folder.Path);
        start.Environment["Padim__Access"] = "open";
        if (SharedFolder.Has("backbones"))
            start.Environment["Padim__BackboneDirectories__0"] = SharedFolder.Path("backbones");
        _started = await StartedService.StartAsync(start, new ServiceClient(Address));
    }

    /// <summary>Starts the program once more, with data of its own.</summary>
    public async Task<StartedService> StartAnotherAsync(
        TempDirectory folder,
        params (string Name, string Value)[] settings
    )
    {
        var address = new Uri($"http://127.0.0.1:{FreePort.Find()}");
        var start = Describe(address, folder.Path);
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        return await StartedService.StartAsync(start, new ServiceClient(address));
    }

    private ProcessStartInfo Describe(Uri address, string folder) =>
        new(Program)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["DOTNET_TieredPGO"] = "0",
                // 30,000, which the runtime reads as hexadecimal: compiling methods a second time took a quarter of the
                // processor time.
                ["DOTNET_TC_CallCountThreshold"] = "7530",
                ["ASPNETCORE_URLS"] = address.ToString(),
                ["Padim__DataDirectory"] = Path.Combine(folder, "data"),
                ["Padim__Device"] = "cpu",
            },
        };

    public ValueTask DisposeAsync()
    {
        _started?.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Publishes a project that the build of this one has built.</summary>
    /// <returns>The program to start.</returns>
    public static async Task<string> PublishAsync(string project, string program, string folder)
    {
        await Sdk.BuildAsync("publish", project, "--no-build", "-o", folder);
        return Path.Combine(folder, OperatingSystem.IsWindows() ? program + ".exe" : program);
    }

    private static string FindRepository()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "PaDiM.Service.sln")))
                return at.FullName;
        throw new DirectoryNotFoundException("PaDiM.Service.sln lies nowhere above the test program.");
    }
}
