using Microsoft.Extensions.Configuration;
using PaDiM.Service.Access;

namespace PaDiM.Service.Tests;

public sealed class ListeningTests
{
    [Theory]
    [InlineData("http://localhost:8080", true)]
    [InlineData("http://127.0.0.1:8080", true)]
    [InlineData("http://127.1.2.3:8080", true)]
    [InlineData("https://[::1]:8443", true)]
    [InlineData("http://unix:/run/padim.sock", true)]
    [InlineData("http://0.0.0.0:8080", false)]
    [InlineData("http://*:8080", false)]
    [InlineData("http://+:8080", false)]
    [InlineData("http://[::]:8080", false)]
    [InlineData("http://10.1.2.3:8080", false)]
    [InlineData("http://localhost.example.com:8080", false)]
    public void An_address_is_this_machines_own_or_not(string url, bool local) =>
        Assert.Equal(local, Assert.Single(Addresses(("urls", url))) is { } address && Listening.IsLocal(address));

    [Fact]
    public void Endpoints_come_before_urls_and_urls_before_ports()
    {
        Assert.Equal(
            ["http://*:80", "http://*:81", "https://*:443"],
            Addresses(("http_ports", "80;81"), ("https_ports", "443")).Select(address => address.ToString())
        );
        Assert.Equal(
            "http://localhost:1",
            Assert.Single(Addresses(("http_ports", "80"), ("urls", "http://localhost:1"))).ToString()
        );
        Assert.Equal(
            "http://localhost:2",
            Assert
                .Single(Addresses(("urls", "http://*:1"), ("Kestrel:Endpoints:Own:Url", "http://localhost:2")))
                .ToString()
        );
    }

    private static IReadOnlyList<Microsoft.AspNetCore.Http.BindingAddress> Addresses(
        params (string Key, string Value)[] settings
    ) =>
        Listening.GetAddresses(
            new ConfigurationBuilder()
                .AddInMemoryCollection(
                    settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))
                )
                .Build()
        );
}
