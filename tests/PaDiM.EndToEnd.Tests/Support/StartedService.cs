using System.Diagnostics;
using System.Text;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>The service as a process of its own, ready to answer. Killed on disposal.</summary>
public sealed class StartedService : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly StringBuilder _log = new();
    private readonly Process _process;

    private StartedService(Process process, ServiceClient client)
    {
        _process = process;
        Client = client;
        _process.OutputDataReceived += Log;
        _process.ErrorDataReceived += Log;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Speaks to the program.</summary>
    public ServiceClient Client { get; }

    /// <summary>Starts the program and waits until it is ready.</summary>
    /// <param name="start">The program, with redirected output.</param>
    /// <param name="client">Reaches it; disposed with it.</param>
    public static async Task<StartedService> StartAsync(ProcessStartInfo start, ServiceClient client)
    {
        var started = new StartedService(Process.Start(start)!, client);
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < StartLimit; await Task.Delay(100))
        {
            if (started._process.HasExited)
                break;
            if (await client.IsReadyAsync())
                return started;
        }
        using (started)
            throw new InvalidOperationException($"The published program did not become ready:\n{started.GetLog()}");
    }

    /// <summary>Stops it as an orchestrator does, and checks that it ends well.</summary>
    public async Task StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await _process.WaitForExitAsync();
        Assert.True(_process.ExitCode == 0, GetLog());
    }

    public void Dispose()
    {
        Client.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }
        _process.Dispose();
    }

    private string GetLog()
    {
        lock (_log)
            return _log.ToString();
    }

    private void Log(object sender, DataReceivedEventArgs line)
    {
        lock (_log)
            _log.AppendLine(line.Data);
    }
}
