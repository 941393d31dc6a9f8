using System.Diagnostics;
using System.Text.RegularExpressions;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Trials.Cluster;

/// <summary>Debian's HAProxy or nginx in front of replicas, with the settings of <c>deploy</c>.</summary>
internal sealed partial class ReverseProxy : IAsyncDisposable
{
    private const string HaProxy = "/usr/sbin/haproxy",
        Nginx = "/usr/sbin/nginx";

    private readonly TempDirectory _folder = new();
    private readonly Process _process;

    private ReverseProxy(string name, string address, string configuration, string[] through, string[] command)
    {
        (Name, Address) = (name, new Uri($"http://{address}"));
        var path = _folder.Combine("configuration");
        File.WriteAllText(path, configuration.Replace("FOLDER", _folder.Path, StringComparison.Ordinal));
        string[] all = [.. through, .. command, path];
        _process = Process.Start(
            new ProcessStartInfo(all[0], all[1..]) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        _ = _process.StandardOutput.ReadToEndAsync();
        _ = _process.StandardError.ReadToEndAsync();
    }

    public string Name { get; }

    public Uri Address { get; }

    /// <summary>Skips the test where there is no HAProxy.</summary>
    public static void SkipWithoutHaProxy() => Assert.SkipUnless(File.Exists(HaProxy), "HAProxy is not installed.");

    /// <summary>Skips the test where there is no nginx.</summary>
    public static void SkipWithoutNginx() => Assert.SkipUnless(File.Exists(Nginx), "nginx is not installed.");

    /// <summary>Starts HAProxy in front of replicas.</summary>
    /// <param name="address">Where it listens, with the port.</param>
    /// <param name="replicas">Where they listen, or will.</param>
    /// <param name="checks">How often it asks for their readiness, instead of every two seconds.</param>
    /// <param name="file">The configuration in <c>deploy</c>, instead of that of the compose file.</param>
    /// <param name="through">A program that runs the arguments that follow its own.</param>
    public static Task<ReverseProxy> StartHaProxyAsync(
        string address,
        IReadOnlyList<string> replicas,
        string checks = "2s",
        (string Folder, string File)? file = null,
        params string[] through
    ) =>
        StartAsync(
            new ReverseProxy(
                "HAProxy",
                address,
                ConfigureHaProxy(address, replicas, checks, file?.Folder ?? "compose", file?.File ?? "haproxy.cfg"),
                through,
                [HaProxy, "-q", "-db", "-f"]
            )
        );

    /// <summary>Starts nginx in front of replicas.</summary>
    public static Task<ReverseProxy> StartNginxAsync(
        string address,
        IReadOnlyList<string> replicas,
        params string[] through
    ) => StartAsync(new ReverseProxy("nginx", address, ConfigureNginx(address, replicas), through, [Nginx, "-c"]));

    public async ValueTask DisposeAsync()
    {
        // nginx ends its workers only when it is asked.
        using (var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]))
            await kill.WaitForExitAsync();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    /// <summary>Without Docker's names, which only its containers have.</summary>
    private static string ConfigureHaProxy(
        string address,
        IReadOnlyList<string> replicas,
        string checks,
        string folder,
        string file
    ) =>
        Resolvers()
            .Replace(Put(Read(folder, file), replicas, i => $"replica-{i} "), "")
            .Replace("bind :8080", $"bind {address}", StringComparison.Ordinal)
            .Replace(" inter 2s", $" inter {checks}", StringComparison.Ordinal)
            .Replace(" resolvers docker init-addr libc,none", "", StringComparison.Ordinal);

    private static string ConfigureNginx(string address, IReadOnlyList<string> replicas) =>
        $$"""
            daemon off;
            pid FOLDER/pid;
            error_log stderr;
            events {}
            http {
            access_log off;
            client_body_temp_path FOLDER/body;
            proxy_temp_path FOLDER/proxy;
            {{Put(Read("nginx", "replicas.conf"), replicas, _ => "")
                .Replace("listen 8080", $"listen {address}", StringComparison.Ordinal)}}
            }
            """;

    /// <summary>Puts replicas into the place of those that a file names, with the options of the first one.</summary>
    private static string Put(string text, IReadOnlyList<string> replicas, Func<int, string> name) =>
        Servers()
            .Replace(
                text,
                found =>
                    string.Concat(
                        replicas.Select((replica, i) => $"    server {name(i)}{replica}{found.Groups[1].Value}\n")
                    )
            );

    private static string Read(string folder, string file) =>
        File.ReadAllText(Path.Combine(Repository.Root, "deploy", folder, file));

    private static async Task<ReverseProxy> StartAsync(ReverseProxy proxy)
    {
        using var http = new HttpClient { BaseAddress = proxy.Address };
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    using var answer = await http.GetAsync("/health/ready");
                    return answer.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            () => $"No replica answers through {proxy.Name} (ended: {proxy._process.HasExited})."
        );
        return proxy;
    }

    [GeneratedRegex(@"(?:^ +server [^\n]*?:8080([^\n]*)\n)+", RegexOptions.Multiline)]
    private static partial Regex Servers();

    [GeneratedRegex(@"^(?:#.*\n)?resolvers docker\n(?: .*\n)+", RegexOptions.Multiline)]
    private static partial Regex Resolvers();
}
