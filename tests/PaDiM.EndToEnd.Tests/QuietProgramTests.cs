using System.Diagnostics;
using System.Net.Sockets;
using PaDiM.EndToEnd.Tests.Support;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.EndToEnd.Tests;

/// <summary>
/// The published programs tell nobody anything. They run as on a machine that was never told to be discreet: an empty
/// home, no variable of a build server (<c>CI</c> alone silences ONNX Runtime), and a network that counts every attempt
/// to reach another machine.
/// </summary>
public sealed class QuietProgramTests(PublishedService service) : IDisposable
{
    /// <summary>The socket's path does as an address, and needs no network.</summary>
    private static readonly Uri Anywhere = new("http://localhost");

    /// <summary>ONNX Runtime looked up its vendor's address 10 s after the start.</summary>
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(15);

    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_published_programs_fit_and_score_without_a_word_to_anyone()
    {
        using var network = SealedNetwork.Open();
        var before = network.CountAttempts();
        var running = Stopwatch.StartNew();
        using (var started = await StartServiceAsync(network))
        {
            await started.Client.PrepareSyntheticAsync("discs");
            await started.Client.ScoreAsync("discs", SyntheticParts.Good(100).ToBmp());
            await RunPadimAsync(network);
            if (LongEnough - running.Elapsed is { Ticks: > 0 } remaining)
                await Task.Delay(remaining);
            await started.StopAsync();
        }

        Assert.Multiple(
            () => Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Combine("home"))),
            () => Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Combine("work"))),
            () => Assert.Equal(before, network.CountAttempts())
        );
    }

    private async Task<StartedService> StartServiceAsync(SealedNetwork network)
    {
        var socket = _folder.Combine("socket");
        var start = Enter(network, service.Program);
        start.Environment["ASPNETCORE_URLS"] = $"http://unix:{socket}";
        start.Environment["Padim__DataDirectory"] = _folder.Combine("data");
        start.Environment["Padim__Access"] = "open";
        var handler = new SocketsHttpHandler { ConnectCallback = (_, stop) => ConnectAsync(socket, stop) };
        return await StartedService.StartAsync(start, new ServiceClient(Anywhere, handler));
    }

    private async Task RunPadimAsync(SealedNetwork network)
    {
        var padim = await PublishedService.PublishAsync("PaDiM.Cli", "padim", _folder.Combine("program"));
        var parts = Directory.CreateDirectory(_folder.Combine("parts")).FullName;
        for (var seed = 0; seed < 6; seed++)
            await File.WriteAllBytesAsync(Path.Combine(parts, $"{seed}.bmp"), SyntheticParts.Good(seed, 64).ToBmp());
        var model = _folder.Combine("model");
        await RunAsync(Enter(network, padim, "fit", parts, "--out", model, "--image-size", "64"));
        await RunAsync(Enter(network, padim, "score", model, parts));
    }

    private static async Task RunAsync(ProcessStartInfo start)
    {
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await output + await errors);
    }

    /// <summary>Nothing of this process's environment gets through but where programs and .NET are.</summary>
    private ProcessStartInfo Enter(SealedNetwork network, string program, params string[] arguments)
    {
        var start = network.Enter(program, arguments);
        var runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var kept = Environment.GetEnvironmentVariable("PATH");
        start.Environment.Clear();
        start.Environment["PATH"] = kept;
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(runtime, "..", "..", ".."));
        start.Environment["HOME"] = Directory.CreateDirectory(_folder.Combine("home")).FullName;
        start.WorkingDirectory = Directory.CreateDirectory(_folder.Combine("work")).FullName;
        return start;
    }

    private static async ValueTask<Stream> ConnectAsync(string socket, CancellationToken stop)
    {
        var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop);
            return new NetworkStream(connection, ownsSocket: true);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
