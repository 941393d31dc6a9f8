using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace PaDiM.Service.Sinks;

/// <summary>
/// Decides which addresses a webhook may connect to. An address inside another one (IPv4 in IPv6, NAT64, 6to4) counts as
/// the one inside, because that is where the packets go.
/// </summary>
internal static class AddressGuard
{
    /// <summary>Addresses outside the internet as such: IANA's registries of special-purpose addresses.</summary>
    private static readonly IPNetwork[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "2001::/23",
            "2001:db8::/32",
            "3fff::/20",
        }.Select(network => IPNetwork.Parse(network)),
    ];

    /// <summary>What is private, but may be the address of a receiver.</summary>
    private static readonly IPNetwork[] Private =
    [
        .. new[]
        {
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        }.Select(network => IPNetwork.Parse(network)),
    ];

    /// <summary>Where clouds hand out credentials: AWS and most others, AWS by IPv6, Alibaba, Azure, Oracle.</summary>
    private static readonly HashSet<IPAddress> Metadata =
    [
        IPAddress.Parse("169.254.169.254"),
        IPAddress.Parse("169.254.170.2"),
        IPAddress.Parse("169.254.170.23"),
        IPAddress.Parse("fd00:ec2::254"),
        IPAddress.Parse("fd00:ec2::23"),
        IPAddress.Parse("fd20:ce::254"),
        IPAddress.Parse("100.100.100.200"),
        IPAddress.Parse("168.63.129.16"),
        IPAddress.Parse("192.0.0.192"),
    ];

    private static readonly IPNetwork Unicast = IPNetwork.Parse("2000::/3"),
        Nat64 = IPNetwork.Parse("64:ff9b::/96"),
        LocalNat64 = IPNetwork.Parse("64:ff9b:1::/48"),
        SixToFour = IPNetwork.Parse("2002::/16"),
        Compatible = IPNetwork.Parse("::/96");

    /// <summary>Gets whether a webhook may connect to an address.</summary>
    /// <param name="address">The address.</param>
    /// <param name="allowPrivate">Whether private, loopback and link-local addresses are allowed.</param>
    public static bool Allows(IPAddress address, bool allowPrivate)
    {
        var inner = Unwrap(address);
        if (Metadata.Contains(inner) || Metadata.Contains(WithoutScope(address)))
            return false;
        if (allowPrivate && Private.Any(network => network.Contains(inner)))
            return true;
        return !Special.Any(network => network.Contains(inner))
            && (inner.AddressFamily == AddressFamily.InterNetwork || Unicast.Contains(inner));
    }

    /// <summary>Gets the address that packets to an address arrive at.</summary>
    private static IPAddress Unwrap(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        address = WithoutScope(address);
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (Nat64.Contains(address))
            return new IPAddress(bytes[12..]);
        // RFC 8215: here too the last four bytes are an IPv4 address where the prefix has 96 bits; which one it has is a
        // matter of the network.
        if (LocalNat64.Contains(address))
            return IPAddress.Any;
        if (SixToFour.Contains(address))
            return new IPAddress(bytes[2..6]);
        if (Compatible.Contains(address) && BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]) > 1)
            return new IPAddress(bytes[12..]);
        return address;
    }

    /// <summary>The zone of a link-local address names an interface, not a place.</summary>
    private static IPAddress WithoutScope(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || address.ScopeId == 0)
            return address;
        return new IPAddress(address.GetAddressBytes());
    }
}
