using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PaDiM.Service.Hosting;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public sealed class DrainTests
{
    [Fact]
    public async Task After_the_signal_readiness_goes_first_and_requests_are_still_answered()
    {
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartAsync(data.Path, ("DrainSeconds", 3));
        Assert.Equal("ok", (await service.Http.GetJsonAsync("/health/ready"))["checks"]!.Text("stopping"));
        var ended = service.TerminateAsync();
        await Eventually.TrueAsync(
            async () => (int)(await service.Http.GetAsync("/health/ready")).StatusCode == 503,
            () => "It still says that it is ready."
        );
        Assert.False(ended.IsCompleted);
        var answer = await service.Http.GetAsync("/v1/categories");
        Assert.Equal((200, true), ((int)answer.StatusCode, answer.Headers.ConnectionClose));
        Assert.Equal("ok", (await service.Http.GetJsonAsync("/health/live")).Text("status"));
        Assert.Equal(0, await ended);
    }

    /// <summary>
    /// A balancer without health checks opens connections for as long as the service listens, and what it sends on them
    /// must not be sent a second time.
    /// </summary>
    [Fact]
    public async Task A_connection_that_was_opened_is_answered_however_late_it_comes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux can stop opening connections.");
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartAsync(data.Path, ("DrainSeconds", 1));
        var clients = Enumerable
            .Range(0, 64)
            .Select(_ => Task.Run(() => CallUntilRefusedAsync(service.Http.BaseAddress!)))
            .ToArray();
        var ended = service.TerminateAsync();
        var (answered, cut) = (0, 0);
        foreach (var client in clients)
        {
            var calls = await client;
            (answered, cut) = (answered + calls.Answered, cut + calls.Cut);
        }
        Assert.Equal(0, await ended);
        Assert.True(answered > 0);
        Assert.Equal(0, cut);
    }

    [Fact]
    public async Task A_queued_connection_outlives_the_end_of_new_ones()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux can stop opening connections.");
        var listeners = new Listeners(NullLogger<Listeners>.Instance);
        using var listening = listeners.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen();
        using var queued = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await queued.ConnectAsync(listening.LocalEndPoint!);

        listeners.StopOpening();

        using var late = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            Blocking = false,
        };
        Assert.Equal(
            SocketError.WouldBlock,
            Assert.Throws<SocketException>(() => late.Connect(listening.LocalEndPoint!)).SocketErrorCode
        );
        // Without the filter, a connection on loopback is open before the call returns.
        Assert.False(late.Poll(TimeSpan.Zero, SelectMode.SelectWrite));
        using var accepted = await listening.AcceptAsync();
        await queued.SendAsync(new byte[3]);
        Assert.Equal(3, await accepted.ReceiveAsync(new byte[8]));
    }

    /// <summary>Opens connection after connection for one request each, until none can be opened.</summary>
    private static async Task<(int Answered, int Cut)> CallUntilRefusedAsync(Uri service)
    {
        var request = Encoding.ASCII.GetBytes(
            $"GET /health/live HTTP/1.1\r\nHost: {service.Authority}\r\nConnection: close\r\n\r\n"
        );
        var buffer = new byte[4096];
        for (var (answered, cut) = (0, 0); ; )
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(service.Host, service.Port);
            }
            catch (SocketException)
            {
                return (answered, cut);
            }
            try
            {
                await socket.SendAsync(request);
                _ = await socket.ReceiveAsync(buffer) > 0 ? answered++ : cut++;
            }
            catch (SocketException)
            {
                cut++;
            }
        }
    }
}
