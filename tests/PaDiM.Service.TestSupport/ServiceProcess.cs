using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace PaDiM.Service.TestSupport;

/// <summary>The service as a process of its own, to be killed.</summary>
internal sealed partial class ServiceProcess : IAsyncDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "PaDiM.Service.dll");
    private readonly Process _process;

    private readonly StringBuilder _errors;

    private ServiceProcess(Process process, Uri address, StringBuilder errors)
    {
        _process = process;
        _errors = errors;
        Http = new HttpClient { BaseAddress = address };
    }

    public HttpClient Http { get; }

    /// <summary>Of the process.</summary>
    public int Id => _process.Id;

    /// <summary>What it has written to its standard error since it listens, without white space around it.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
                return _errors.ToString().Trim();
        }
    }

    /// <summary>Starts the service and waits until it listens.</summary>
    public static Task<ServiceProcess> StartAsync(
        string dataDirectory,
        params (string Option, object Value)[] options
    ) => StartAsync(dataDirectory, options, heapLimit: null);

    /// <summary>Starts the service with more variables in its environment.</summary>
    public static Task<ServiceProcess> StartInAsync(
        string dataDirectory,
        IReadOnlyDictionary<string, string> environment,
        params (string Option, object Value)[] options
    ) => StartAsync(dataDirectory, options, environment: environment);

    /// <summary>Starts the service through another program, which runs the arguments that follow its own.</summary>
    public static Task<ServiceProcess> StartThroughAsync(
        string[] command,
        string dataDirectory,
        params (string Option, object Value)[] options
    ) => StartAsync(dataDirectory, options, through: command);

    /// <summary>Starts the service with so many bytes of managed memory.</summary>
    public static Task<ServiceProcess> StartAsync(string dataDirectory, long heapLimit) =>
        StartAsync(dataDirectory, [], heapLimit);

    private static async Task<ServiceProcess> StartAsync(
        string dataDirectory,
        (string Option, object Value)[] options,
        long? heapLimit = null,
        IReadOnlyDictionary<string, string>? environment = null,
        string[]? through = null
    )
    {
        await EmptyDatabase.PutAsync(dataDirectory, options);
        return await ListeningAsync(Launch(dataDirectory, options, heapLimit, environment, through));
    }

    private static async Task<ServiceProcess> ListeningAsync(Process process)
    {
        var output = new StringBuilder();
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            output.AppendLine(line);
            if (ListeningLine().Match(line) is not { Success: true } match)
                continue;
            // What is not read would fill the pipe and stop the service.
            _ = process.StandardOutput.BaseStream.CopyToAsync(OpenLog(process.Id));
            var errors = new StringBuilder();
            process.ErrorDataReceived += (_, line) =>
            {
                lock (errors)
                    errors.AppendLine(line.Data);
            };
            process.BeginErrorReadLine();
            return new ServiceProcess(
                process,
                new Uri(match.Groups[1].Value.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)),
                errors
            );
        }
        throw new InvalidOperationException(
            $"The service did not start: {output}{await process.StandardError.ReadToEndAsync()}"
        );
    }

    /// <summary>The logs of services go to the folder that <c>PADIM_LOGS</c> names, or nowhere.</summary>
    private static Stream OpenLog(int process) =>
        Environment.GetEnvironmentVariable("PADIM_LOGS") is { Length: > 0 } folder
            ? new FileStream(
                Path.Combine(folder, $"service-{process}.log"),
                FileMode.Create,
                FileAccess.Write,
                FileShare.Read,
                0
            )
            : Stream.Null;

    /// <summary>Starts a service that must refuse to start, and gives its exit code and what it said.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RefusedAsync(
        string dataDirectory,
        params (string Option, object Value)[] options
    )
    {
        using var process = Launch(dataDirectory, options);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
        return (process.ExitCode, await output, await error);
    }

    /// <summary>SIGKILL: no word of farewell.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Whether it has ended by itself.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>Sends a signal by its name, such as STOP or CONT.</summary>
    public async Task SignalAsync(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as an orchestrator stops it, and the exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        await SignalAsync("TERM");
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Runs a command of the program to its end.</summary>
    public static Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) =>
        RunInAsync(new Dictionary<string, string>(), arguments);

    /// <summary>Runs a command of the program to its end, with more variables in its environment.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunInAsync(
        IReadOnlyDictionary<string, string> environment,
        params string[] arguments
    )
    {
        var start = CreateStart(arguments);
        foreach (var (variable, value) in environment)
            start.Environment[variable] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
    }

    private static Process Launch(
        string dataDirectory,
        (string Option, object Value)[] options,
        long? heapLimit = null,
        IReadOnlyDictionary<string, string>? environment = null,
        string[]? through = null
    )
    {
        var start = CreateStart();
        if (through is [var program, .. var arguments])
        {
            foreach (var (i, argument) in arguments.Append(start.FileName).Index())
                start.ArgumentList.Insert(i, argument);
            start.FileName = program;
        }
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["Padim__DataDirectory"] = dataDirectory;
        foreach (var (option, value) in options)
            start.Environment[
                option.StartsWith("ASPNETCORE_", StringComparison.Ordinal) ? option : $"Padim__{option}"
            ] = FormattableString.Invariant($"{value}");
        foreach (var (variable, value) in environment ?? new Dictionary<string, string>())
            start.Environment[variable] = value;
        if (heapLimit is { } bytes)
            start.Environment["DOTNET_GCHeapHardLimit"] = FormattableString.Invariant($"0x{bytes:x}");
        return Process.Start(start)!;
    }

    /// <summary>
    /// The program, which compiles quickly first: starting and stopping cost 1.5 s of processor time, and 2.6 s with
    /// the loops compiled well at first sight. As in the tests' own process, few methods of it run often enough to be
    /// compiled a second time: that took a third of its processor time. What is computed is the same.
    /// </summary>
    public static ProcessStartInfo CreateStart(params string[] arguments) =>
        new("dotnet", [Program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["DOTNET_TC_QuickJitForLoops"] = "1",
                ["DOTNET_TC_CallCountThreshold"] = "7530", // 30,000: the runtime reads it as hexadecimal.
                ["DOTNET_TieredPGO"] = "0",
            },
        };

    [GeneratedRegex(@"Now listening on: ""?(https?://[^""\s]+)")]
    private static partial Regex ListeningLine();
}
