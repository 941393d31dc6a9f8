using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace PaDiM.Service.TestSupport;

/// <summary>A connection to a server of this machine that a test can cut.</summary>
internal sealed class Forwarder : IDisposable
{
    private readonly TcpListener _listener;
    private readonly Lock _gate = new();
    private readonly List<TcpClient> _clients = [];
    private readonly int _port;
    private bool _isCut;
    private volatile TaskCompletionSource? _stalled;
    private long _sent;

    /// <param name="port">The port of the server.</param>
    /// <param name="listenOn">The port of the forwarder; 0 for any.</param>
    public Forwarder(int port, int listenOn = 0)
    {
        _port = port;
        _listener = new TcpListener(IPAddress.Loopback, listenOn);
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Changes a connection string of PostgreSQL so that it leads through here.</summary>
    public string Lead(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Port = Port }.ConnectionString;

    /// <summary>Closes all connections, and every new one at once.</summary>
    public void Cut() => Set(isCut: true);

    /// <summary>Keeps all connections open, and every new one, and lets nothing through.</summary>
    public void Stall() => _stalled = new TaskCompletionSource();

    /// <summary>Lets new connections through again, and what has stalled.</summary>
    public void Mend()
    {
        Set(isCut: false);
        Interlocked.Exchange(ref _stalled, null)?.SetResult();
    }

    /// <summary>Gets or sets how long each piece takes, in either direction.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Gets how many bytes were sent to the server.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    public void Dispose()
    {
        Interlocked.Exchange(ref _stalled, null)?.SetResult();
        Cut();
        _listener.Dispose();
    }

    private void Set(bool isCut)
    {
        lock (_gate)
        {
            _isCut = isCut;
            foreach (var client in _clients)
                client.Dispose();
            _clients.Clear();
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            for (; ; )
                _ = ForwardAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        var server = new TcpClient();
        lock (_gate)
        {
            if (_isCut)
            {
                client.Dispose();
                return;
            }
            _clients.AddRange([client, server]);
        }
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _port);
            await Task.WhenAny(
                PumpAsync(client.GetStream(), server.GetStream(), isRequest: true),
                PumpAsync(server.GetStream(), client.GetStream(), isRequest: false)
            );
        }
        catch (Exception e)
            when (e is SocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut.
        }
        client.Dispose();
        server.Dispose();
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to, bool isRequest)
    {
        var buffer = new byte[1 << 16];
        while (await from.ReadAsync(buffer) is > 0 and var read)
        {
            if (_stalled is { } stalled)
                await stalled.Task;
            if (Delay > TimeSpan.Zero)
                await Task.Delay(Delay);
            if (isRequest)
                Interlocked.Add(ref _sent, read);
            await to.WriteAsync(buffer.AsMemory(0, read));
        }
    }
}
