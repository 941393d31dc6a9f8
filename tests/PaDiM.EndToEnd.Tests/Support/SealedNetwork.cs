using System.Diagnostics;
using System.Globalization;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>
/// A network namespace that leads to no other machine. Every address is the machine's own, so the kernel counts what
/// programs try to send, wherever they send it. Sockets that are files still work from outside.
/// </summary>
/// <param name="holder">The process that keeps the namespace; it ends with its standard input.</param>
/// <param name="entrance">Options with which <c>nsenter</c> enters it.</param>
public sealed class SealedNetwork(Process holder, string[] entrance) : IDisposable
{
    private const string Setup = """
        ip link set lo up && ip route add local 0.0.0.0/0 dev lo && ip -6 route add local ::/0 dev lo
        echo ready
        exec cat
        """;

    /// <summary>With a user namespace, which anyone may create, and without one, which needs root.</summary>
    private static readonly (string[] Create, string[] Enter)[] Ways =
    [
        (["--user", "--map-root-user", "--net"], ["--user", "--net", "--preserve-credentials"]),
        (["--net"], ["--net"]),
    ];

    /// <summary>Opens one, or skips the test where that is not possible.</summary>
    public static SealedNetwork Open()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has network namespaces.");
        var network = Ways.Select(way => TryOpen(way.Create, way.Enter)).FirstOrDefault(opened => opened is not null);
        Assert.SkipWhen(
            network is null,
            "This machine does not let the tests create a network namespace: `unshare --user --net` and `ip` (packages"
                + " util-linux and iproute2) must work."
        );
        // Some machines look names up by a service behind a file.
        network.Run("getent", "hosts", "nowhere.invalid");
        if (network.CountAttempts() == 0)
        {
            network.Dispose();
            Assert.Skip("On this machine a program's look-ups of names do not pass through its network namespace.");
        }
        return network;
    }

    /// <summary>
    /// Counts the datagrams and connections that programs have tried to send or open so far. Looking a name up is one
    /// at least.
    /// </summary>
    public long CountAttempts()
    {
        var counters = $"/proc/{holder.Id}/net";
        return ReadTable("Udp:", "OutDatagrams")
            + ReadTable("Tcp:", "ActiveOpens")
            + File.ReadLines($"{counters}/snmp6")
                .Where(line => line.StartsWith("Udp6OutDatagrams", StringComparison.Ordinal))
                .Sum(line => Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]));

        // A line of names, and below it a line of values.
        long ReadTable(string table, string name)
        {
            var lines = File.ReadLines($"{counters}/snmp")
                .Where(line => line.StartsWith(table, StringComparison.Ordinal))
                .Select(line => line.Split(' '))
                .ToArray();
            return Parse(lines[1][Array.IndexOf(lines[0], name)]);
        }

        static long Parse(string value) => long.Parse(value, CultureInfo.InvariantCulture);
    }

    /// <summary>Describes the start of a program in here.</summary>
    public ProcessStartInfo Enter(string program, params string[] arguments) =>
        new("nsenter", ["--target", $"{holder.Id}", .. entrance, "--", program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

    public void Dispose()
    {
        holder.StandardInput.Close();
        holder.WaitForExit();
        holder.Dispose();
    }

    private void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(Enter(program, arguments))!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
    }

    private static SealedNetwork? TryOpen(string[] create, string[] enter)
    {
        Process? holder;
        try
        {
            holder = Process.Start(
                new ProcessStartInfo("unshare", [.. create, "--", "sh", "-ec", Setup])
                {
                    RedirectStandardInput = true,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                }
            )!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
        if (holder.StandardOutput.ReadLine() == "ready")
            return new SealedNetwork(holder, enter);
        holder.WaitForExit();
        holder.Dispose();
        return null;
    }
}
