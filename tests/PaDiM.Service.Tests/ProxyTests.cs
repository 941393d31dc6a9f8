using System.Diagnostics;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Where requests come from, with and without a proxy between.</summary>
public sealed class ProxyTests(ProxiedService proxied) : IClassFixture<ProxiedService>, IDisposable
{
    private readonly TempDirectory _proxy = new();

    public void Dispose() => _proxy.Dispose();

    [Theory]
    [InlineData("127.0.0.1", "203.0.113.7", "203.0.113.7")]
    [InlineData("127.1.0.5", "203.0.113.7", "203.0.113.7")]
    [InlineData("127.0.0.1", "198.51.100.1, 203.0.113.7, 127.1.9.9", "203.0.113.7")]
    [InlineData("127.0.0.1", "no-address", "127.0.0.1")]
    [InlineData("127.0.0.7", "203.0.113.7", "127.0.0.7")]
    public async Task Only_known_proxies_say_where_a_request_comes_from(string peer, string forwarded, string seen)
    {
        using var http = Callers.From(peer, proxied.Service.Http.BaseAddress!);
        http.DefaultRequestHeaders.Add("X-Api-Key", proxied.Key);
        http.DefaultRequestHeaders.TryAddWithoutValidation("X-Forwarded-For", forwarded);
        var category = proxied.NewName();
        await (await http.PutAsJsonAsync($"/v1/categories/{category}", CategoryClient.SmallSettings)).JsonAsync(201);
        Assert.Equal(
            seen,
            (await proxied.Boss.GetJsonAsync($"/v1/audit?category={category}")).Items()[0].Text("address")
        );
    }

    [Theory]
    [InlineData("127.0.0.1", "https", true)]
    [InlineData("127.0.0.1", "http", false)]
    [InlineData("127.0.0.7", "https", false)]
    public async Task Browsers_are_told_to_stay_with_https_where_a_known_proxy_says_that_it_is(
        string peer,
        string scheme,
        bool told
    )
    {
        using var http = Callers.From(peer, proxied.Service.Http.BaseAddress!);
        http.DefaultRequestHeaders.Add("X-Forwarded-Proto", scheme);
        http.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7");
        foreach (var url in new[] { "/v1/categories", "/health/live", "/v1/nowhere" })
            Assert.Equal(
                told,
                (await http.GetAsync(url)).Headers.TryGetValues("Strict-Transport-Security", out var values)
                    && values.Single() == "max-age=31536000"
            );
    }

    [Fact]
    public async Task Browsers_are_told_to_stay_with_https_where_the_service_ends_it_itself()
    {
        var thumbprint = await WriteCertificateAsync();
        var kestrel = new Dictionary<string, string>
        {
            ["Kestrel__Certificates__Default__Path"] = _proxy.Combine("certificate.pem"),
            ["Kestrel__Certificates__Default__KeyPath"] = _proxy.Combine("key.pem"),
        };
        using var own = new TempDirectory();
        await using var process = await ServiceProcess.StartInAsync(
            own.Path,
            kestrel,
            ("ASPNETCORE_URLS", "https://127.0.0.1:0")
        );
        using var http = Callers.From("127.0.0.1", process.Http.BaseAddress!, thumbprint);
        Assert.Equal(
            "max-age=31536000",
            (await http.GetAsync("/v1/categories")).Headers.GetValues("Strict-Transport-Security").Single()
        );
        Assert.False((await proxied.Boss.GetAsync("/v1/categories")).Headers.Contains("Strict-Transport-Security"));
    }

    [Fact]
    public async Task Behind_nginx_with_tls_the_client_is_seen_and_nothing_it_says_of_itself_is_believed() =>
        await BehindNginxAsync(
            "location / {",
            proxied.Service.Http.BaseAddress!.ToString(),
            "",
            async http =>
            {
                await (await http.GetAsync("/v1/categories")).ProblemAsync(401, "unauthenticated");
                http.DefaultRequestHeaders.Add("X-Api-Key", proxied.Key);
                http.DefaultRequestHeaders.TryAddWithoutValidation("X-Forwarded-For", "203.0.113.66");
                http.DefaultRequestHeaders.TryAddWithoutValidation("X-Forwarded-Prefix", "/forged");
                var made = await http.PutAsJsonAsync("/v1/categories/flange", CategoryClient.SmallSettings);
                await made.JsonAsync(201);
                Assert.Equal("/v1/categories/flange", made.Headers.Location?.OriginalString);
                Assert.Equal("max-age=31536000", made.Headers.GetValues("Strict-Transport-Security").Single());
                Assert.Equal(
                    "127.0.0.7",
                    (await proxied.Boss.GetJsonAsync("/v1/audit?category=flange")).Items()[0].Text("address")
                );
            }
        );

    /// <summary>
    /// nginx removes the prefix where the address that it passes requests to has a path, and else keeps it.
    /// </summary>
    [Theory]
    [InlineData("/")]
    [InlineData("")]
    public async Task Behind_nginx_below_a_path_every_link_leads_on(string path) =>
        await BehindNginxAsync(
            "location /padim/ {",
            $"{proxied.Service.Http.BaseAddress!.ToString().TrimEnd('/')}{path}",
            "/padim",
            async http =>
            {
                http.DefaultRequestHeaders.Add("X-Api-Key", proxied.Key);
                // Redirects lead to the pages, and the pages to their files.
                foreach (
                    var (start, address) in new[]
                    {
                        ("/padim/", "/padim/"),
                        ("/padim/swagger", "/padim/swagger/index.html"),
                    }
                )
                {
                    using var page = await http.GetAsync(start);
                    Assert.Equal(address, page.RequestMessage!.RequestUri!.AbsolutePath);
                    Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
                }
                var document = await http.GetJsonAsync("/padim/swagger/v1/swagger.json");
                Assert.Equal("/padim", document.Items("servers").Single().Text("url"));

                var name = proxied.NewName();
                var made = await http.PutAsJsonAsync($"/padim/v1/categories/{name}", CategoryClient.SmallSettings);
                Assert.Equal(201, (int)made.StatusCode);
                Assert.Equal(name, (await http.GetJsonAsync(made.Headers.Location!.OriginalString)).Text("name"));
                var images = CategoryClient.Form(("files", "0.bmp", Parts.Good(0)), ("files", "1.bmp", Parts.Good(1)));
                await (await http.PostAsync($"/padim/v1/categories/{name}/images", images)).JsonAsync(200);
                var started = await http.PostAsync($"/padim/v1/categories/{name}/fits", null);
                var job = started.Headers.Location!.OriginalString;
                Assert.Equal("queued", (await http.GetJsonAsync(job)).Text("state"));
                await (await http.DeleteAsync(job)).JsonAsync(202);
                Assert.Contains("cancelled", await http.GetStringAsync($"{job}/events"), StringComparison.Ordinal);
                var missing = await (await http.GetAsync("/padim/v1/nowhere")).ProblemAsync(404, "route_not_found");
                Assert.Equal("/padim/v1/nowhere", missing.Text("instance"));
            }
        );

    /// <summary>Runs nginx with the configuration of docs/secure.md before the service.</summary>
    private async Task BehindNginxAsync(
        string location,
        string upstream,
        string prefix,
        Func<HttpClient, Task> actAsync
    )
    {
        var nginx = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Append("/usr/sbin")
            .Select(folder => Path.Combine(folder, "nginx"))
            .FirstOrDefault(File.Exists);
        Assert.SkipWhen(nginx is null, "No nginx on the PATH.");
        var address = new Uri($"https://localhost:{FreePort.Find()}");
        var thumbprint = await WriteConfigurationAsync(address.Port, location, upstream, prefix);
        using var running = Process.Start(
            new ProcessStartInfo(
                nginx!,
                [
                    "-p",
                    _proxy.Path,
                    "-c",
                    _proxy.Combine("nginx.conf"),
                    "-e",
                    _proxy.Combine("error.log"),
                    "-g",
                    "daemon off;",
                ]
            )
            {
                RedirectStandardError = true,
            }
        )!;
        try
        {
            using var http = Callers.From("127.0.0.7", address, thumbprint);
            await Eventually.TrueAsync(
                () => AnswersAsync(http, $"{prefix}/health/live"),
                () => running.HasExited ? running.StandardError.ReadToEnd() : "nginx does not answer."
            );
            await actAsync(http);
        }
        finally
        {
            if (!running.HasExited)
                running.Kill(entireProcessTree: true);
            await running.WaitForExitAsync();
        }
    }

    /// <summary>A self-signed certificate, whose thumbprint this gives.</summary>
    private async Task<string> WriteCertificateAsync()
    {
        using var rsa = RSA.Create(2048);
        using var certificate = new CertificateRequest(
            "CN=localhost",
            rsa,
            HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1
        ).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(_proxy.Combine("certificate.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(_proxy.Combine("key.pem"), rsa.ExportPkcs8PrivateKeyPem());
        return certificate.Thumbprint;
    }

    /// <summary>The configuration of docs/secure.md, with a certificate whose thumbprint this gives.</summary>
    private async Task<string> WriteConfigurationAsync(int port, string location, string upstream, string prefix)
    {
        var thumbprint = await WriteCertificateAsync();
        await File.WriteAllTextAsync(
            _proxy.Combine("nginx.conf"),
            $$"""
            pid {{_proxy.Combine("nginx.pid")}};
            events { }
            http {
                access_log off;
                client_body_temp_path {{_proxy.Combine("body")}}; proxy_temp_path {{_proxy.Combine(
                "proxy"
            )}}; fastcgi_temp_path {{_proxy.Combine("f")}}; uwsgi_temp_path {{_proxy.Combine(
                "u"
            )}}; scgi_temp_path {{_proxy.Combine("s")}};
                server {
                    listen 127.0.0.1:{{port}} ssl;
                    ssl_certificate {{_proxy.Combine("certificate.pem")}};
                    ssl_certificate_key {{_proxy.Combine("key.pem")}};
                    {{location}}
                        proxy_pass {{upstream}};
                        proxy_http_version 1.1;
                        proxy_buffering off;
                        proxy_request_buffering off;
                        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                        proxy_set_header X-Forwarded-Proto $scheme;
                        proxy_set_header X-Forwarded-Prefix "{{prefix}}";
                    }
                }
            }
            """
        );
        return thumbprint;
    }

    private static async Task<bool> AnswersAsync(HttpClient http, string url)
    {
        try
        {
            return (await http.GetAsync(url)).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
