using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Amazon.S3;
using PaDiM.TestSupport;

namespace PaDiM.Service.TestSupport.S3;

/// <summary>
/// Debian's Ceph gateway, a real S3 server on one machine with its objects in memory. Started once for all tests that
/// use it, in about 16 seconds.
/// </summary>
internal sealed class CephGateway : IAsyncDisposable
{
    private readonly TempDirectory _folder;

    private CephGateway(TempDirectory folder, int port) => (_folder, Url) = (folder, $"http://127.0.0.1:{port}");

    public string Url { get; }

    /// <summary>Gets whether the machine has it.</summary>
    public static bool IsInstalled =>
        OperatingSystem.IsLinux()
        && Environment.UserName == "root"
        && new[] { "ceph-mon", "ceph-osd", "radosgw" }.All(program => File.Exists($"/usr/bin/{program}"));

    public static async Task<CephGateway> StartAsync()
    {
        var folder = new TempDirectory();
        int[] ports = [FindPort(), FindPort(), FindPort()];
        var start = new ProcessStartInfo("bash")
        {
            ArgumentList =
            {
                Path.Combine(Repository.Root, "tests", "PaDiM.Service.TestSupport", "S3", "start-ceph.sh"),
                folder.Combine("ceph"),
                $"{ports[0]}",
                $"{ports[1]}",
                $"{ports[2]}",
            },
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        var gateway = new CephGateway(folder, ports[0]);
        if (process.ExitCode == 0)
        {
            using var client = new AmazonS3Client(
                "test-key",
                "test-secret",
                new AmazonS3Config
                {
                    ServiceURL = gateway.Url,
                    AuthenticationRegion = "us-east-1",
                    ForcePathStyle = true,
                }
            );
            await client.PutBucketAsync(FakeS3.Bucket);
            return gateway;
        }
        await gateway.DisposeAsync();
        throw new InvalidOperationException($"The gateway did not start: {await output}{await errors}");
    }

    /// <summary>Gets the settings of a service that uses it.</summary>
    public (string Option, object Value)[] GetOptions(string prefix) =>
        [
            ("ObjectStore", "s3"),
            ("S3:Endpoint", Url),
            ("S3:Bucket", FakeS3.Bucket),
            ("S3:Prefix", prefix),
            ("S3:AccessKeyId", "test-key"),
            ("S3:SecretAccessKey", "test-secret"),
        ];

    public async ValueTask DisposeAsync()
    {
        if (Directory.Exists(_folder.Combine("ceph")))
            foreach (var file in Directory.GetFiles(_folder.Combine("ceph"), "*.pid"))
                Stop(int.Parse(await File.ReadAllTextAsync(file)));
        _folder.Dispose();
    }

    private static void Stop(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
            process.WaitForExit(TimeSpan.FromSeconds(5));
        }
        catch (ArgumentException)
        {
            // It has ended already.
        }
    }

    private static int FindPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
