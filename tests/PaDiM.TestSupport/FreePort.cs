using System.Net;
using System.Net.Sockets;

namespace PaDiM.TestSupport;

/// <summary>Ports of loopback for programs that have to be told one.</summary>
public static class FreePort
{
    /// <summary>One on which nobody listens at this moment.</summary>
    public static int Find()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
