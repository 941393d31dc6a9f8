using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace PaDiM.Service.Hosting;

/// <summary>
/// The sockets that Kestrel listens on. The system opens connections by itself and queues them; when a listening socket is
/// closed, it resets those that are still queued, although their clients may have sent a request. So the sockets first stop
/// opening connections, and are closed after the queue has been served.
/// </summary>
internal sealed partial class Listeners(ILogger<Listeners> logger)
{
    private const int SolSocket = 1,
        SoAttachFilter = 26;

    /// <summary>One instruction of the kernel's packet filter: return 0 bytes, that is, drop the packet.</summary>
    private const ulong DropAll = 0x06;

    private readonly ConcurrentBag<Socket> _sockets = [];

    /// <summary>Creates a socket as Kestrel does, and remembers it.</summary>
    public Socket Bind(EndPoint endpoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        _sockets.Add(socket);
        return socket;
    }

    /// <summary>
    /// Stops opening connections. A client that tries gets no answer, tries again after a second, and is refused once the
    /// socket is closed. Open and queued connections are not touched. Does nothing on systems other than Linux.
    /// </summary>
    public unsafe void StopOpening()
    {
        if (!OperatingSystem.IsLinux())
            return;
        var instruction = DropAll;
        var program = new FilterProgram { Length = 1, Instructions = &instruction };
        foreach (var socket in _sockets.Where(socket => socket.AddressFamily != AddressFamily.Unix))
        {
            try
            {
                socket.SetRawSocketOption(
                    SolSocket,
                    SoAttachFilter,
                    MemoryMarshal.AsBytes(new ReadOnlySpan<FilterProgram>(in program))
                );
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // A sandbox without packet filters: as before, a few connections may be reset at the very end.
                LogNoFilter(exception);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The system could not stop opening connections")]
    private partial void LogNoFilter(Exception exception);

    /// <summary><c>struct sock_fprog</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct FilterProgram
    {
        public ushort Length;
        public ulong* Instructions;
    }
}
