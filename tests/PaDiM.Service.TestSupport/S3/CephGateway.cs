using System.Diagnostics;
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
    private readonly Process _process;

    private CephGateway(TempDirectory folder, Process process, string address)
    {
        _folder = folder;
        _process = process;
        Url = $"http://{address}";
    }

    public string Url { get; }

    /// <summary>Gets whether the machine has it.</summary>
    public static bool IsInstalled =>
        OperatingSystem.IsLinux()
        && Environment.UserName == "root"
        && new[] { "ceph-mon", "ceph-osd", "radosgw" }.All(program => File.Exists($"/usr/bin/{program}"));

    /// <summary>Starts it.</summary>
    /// <param name="address">Where it listens, without the port.</param>
    /// <param name="through">A program that runs the arguments that follow its own.</param>
    public static async Task<CephGateway> StartAsync(string address = "127.0.0.1", params string[] through)
    {
        var folder = new TempDirectory();
        int[] ports = [FreePort.Find(), FreePort.Find(), FreePort.Find()];
        string[] command =
        [
            .. through,
            "bash",
            Path.Combine(Repository.Root, "tests", "PaDiM.Service.TestSupport", "S3", "start-ceph.sh"),
            folder.Combine("ceph"),
            $"{ports[0]}",
            $"{ports[1]}",
            $"{ports[2]}",
            address,
        ];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        string? line;
        do line = await process.StandardOutput.ReadLineAsync();
        while (line is not (null or "ready"));
        var gateway = new CephGateway(folder, process, $"{address}:{ports[0]}");
        if (line is null)
        {
            await gateway.DisposeAsync();
            throw new InvalidOperationException($"The gateway did not start: {await errors}");
        }
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
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }
}
