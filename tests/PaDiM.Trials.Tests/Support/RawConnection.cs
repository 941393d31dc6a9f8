using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace PaDiM.Trials.Support;

/// <summary>A connection on which anything can be said, whatever HTTP allows.</summary>
internal sealed class RawConnection : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    private RawConnection() { }

    /// <param name="address">Of the service.</param>
    /// <param name="receiveBuffer">Bytes that the system takes off the wire unread; the system's own choice when
    /// null.</param>
    public static async Task<RawConnection> OpenAsync(Uri address, int? receiveBuffer = null)
    {
        var connection = new RawConnection();
        if (receiveBuffer is { } bytes)
            connection._socket.ReceiveBufferSize = bytes;
        await connection._socket.ConnectAsync(address.Host, address.Port);
        return connection;
    }

    /// <summary>Sends text; false when the other side has closed.</summary>
    public Task<bool> SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task<bool> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            while (bytes.Length > 0)
                bytes = bytes[await _socket.SendAsync(bytes)..];
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Says that nothing more will come.</summary>
    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>All that comes until the other side closes.</summary>
    public async Task<string> ReadToEndAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        var text = new StringBuilder();
        var buffer = new byte[1 << 16];
        try
        {
            for (int read; (read = await _socket.ReceiveAsync(buffer.AsMemory(), patience.Token)) > 0; )
                text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        catch (SocketException)
        {
            // Reset instead of closed.
        }
        return text.ToString();
    }

    /// <summary>What comes until some words have come.</summary>
    public async Task<string> ReadUntilAsync(string words)
    {
        using var patience = new CancellationTokenSource(Patience);
        var text = new StringBuilder();
        var buffer = new byte[1 << 12];
        while (!text.ToString().Contains(words, StringComparison.Ordinal))
        {
            var read = await _socket.ReceiveAsync(buffer.AsMemory(), patience.Token);
            if (read == 0)
                break;
            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        return text.ToString();
    }

    /// <summary>
    /// Sends one byte a second until the other side has had enough, and tells how long that took and what it said.
    /// </summary>
    public async Task<(TimeSpan After, string Answer)> DripAsync()
    {
        var clock = Stopwatch.StartNew();
        var answer = ReadToEndAsync();
        while (!answer.IsCompleted && clock.Elapsed < Patience)
        {
            await SendAsync("x");
            await Task.WhenAny(answer, Task.Delay(TimeSpan.FromSeconds(1)));
        }
        return (clock.Elapsed, await answer);
    }

    public void Dispose() => _socket.Dispose();
}
