using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PaDiM.Service.Access;
using PaDiM.Service.Http;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Requests that are signed (AWS Signature Version 4), by a signer of the test's own.</summary>
public sealed class SignatureTests : IAsyncLifetime
{
    private const string Path = "/2020-11-20/projects";
    private readonly TempDirectory _data = new();
    private readonly ManualTime _time = new();
    private RunningService _service = null!;
    private string _key = "",
        _id = "";

    public async ValueTask InitializeAsync()
    {
        _service = await RunningService.StartByAsync(_time, _data.Path, ("FailedAttemptsPerMinute", 0));
        await _service.Category("flange").CreateFittedAsync(3);
        (_key, _id) = await _service.KeyAsync(AccessScope.Score);
    }

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        _data.Dispose();
    }

    [Theory]
    [InlineData(Path)]
    [InlineData($"{Path}?maxResults=10")]
    [InlineData($"{Path}?nextToken=&maxResults=10")]
    [InlineData("/2020-11-20/projects/flange/models/latest")]
    [InlineData("/2020-11-20/projects/%66lange/models/latest")]
    public async Task A_signature_holds_for_what_it_covers(string address)
    {
        await (await SendAsync(new Signed(address))).JsonAsync(200);
        await RefusedAsync(await SendAsync(new Signed(address) { SentPath = $"{Path}/flange" }));
        await RefusedAsync(
            await SendAsync(new Signed(address) { SentPath = $"{address}{(address.Contains('?') ? "&" : "?")}x=1" })
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_is_covered_whether_or_not_its_hash_is_named(bool namesHash)
    {
        var detect = new Signed($"{Path}/flange/models/1/detect")
        {
            Method = HttpMethod.Post,
            Body = Parts.Good(1),
            NamesHash = namesHash,
        };
        await (await SendAsync(detect)).JsonAsync(200);
        await RefusedAsync(await SendAsync(detect with { SentBody = Parts.Good(2) }));
    }

    [Fact]
    public async Task A_client_may_leave_the_body_out()
    {
        var detect = new Signed($"{Path}/flange/models/1/detect")
        {
            Method = HttpMethod.Post,
            Body = Parts.Good(1),
            NamesHash = true,
            Hash = "UNSIGNED-PAYLOAD",
        };
        await (await SendAsync(detect)).JsonAsync(200);
        await (await SendAsync(detect with { SentBody = Parts.Good(2) })).JsonAsync(200);
    }

    [Theory]
    [InlineData(-14, 200)]
    [InlineData(14, 200)]
    [InlineData(-16, 401)]
    [InlineData(16, 401)]
    public async Task The_clock_of_a_client_may_be_fifteen_minutes_off(int minutes, int status)
    {
        var response = await SendAsync(new Signed(Path) { Off = TimeSpan.FromMinutes(minutes) });
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_signature_needs_the_key()
    {
        await RefusedAsync(await SendAsync(new Signed(Path) { Secret = "secret" }));
        await RefusedAsync(await SendAsync(new Signed(Path) { Id = "0123456789ab" }));
        // What is stored of a key is no secret that signs.
        await RefusedAsync(await SendAsync(new Signed(Path) { Secret = KeyText.Hash(_key) }));
        await RefusedAsync(
            await SendAsync(new Signed(Path) { Token = KeyText.Hash(_key) }),
            "UnrecognizedClientException"
        );
        await RefusedAsync(await SendAsync(new Signed(Path) { Region = "a/b" }));
        await RefusedAsync(await SendAsync(new Signed(Path) { Service = "s3" }));
        await RefusedAsync(await SendAsync(new Signed(Path) { Headers = "host;x-amz-date" }));
        await RefusedAsync(await SendAsync(new Signed(Path) { Headers = "x-amz-date;x-amz-security-token" }));
        await _service.Get<KeyStore>().RevokeAsync(_id, default);
        await RefusedAsync(await SendAsync(new Signed(Path)), "UnrecognizedClientException");
    }

    [Fact]
    public async Task A_key_in_another_header_needs_no_signature_and_sees_its_categories()
    {
        var (other, _) = await _service.KeyAsync(AccessScope.Score, ["bolt"]);
        using var http = new HttpClient { BaseAddress = _service.Http.BaseAddress };
        var bare = await http.GetAsync(Path);
        Assert.Equal("MissingAuthenticationTokenException", bare.Headers.GetValues("x-amzn-ErrorType").Single());
        http.DefaultRequestHeaders.Add("X-Api-Key", other);
        Assert.Equal("[]", (await http.GetJsonAsync(Path))["Projects"]!.ToJsonString());
        var refused = await http.GetAsync($"{Path}/flange");
        Assert.Equal("AccessDeniedException", refused.Headers.GetValues("x-amzn-ErrorType").Single());
        Assert.Equal(403, (int)refused.StatusCode);
    }

    /// <summary>A signature counts only where its protocol is spoken.</summary>
    [Fact]
    public async Task A_signature_opens_no_other_address() =>
        await (await SendAsync(new Signed("/v1/categories"))).ProblemAsync(401, "unauthenticated");

    private static async Task RefusedAsync(HttpResponseMessage response, string type = "InvalidSignatureException")
    {
        Assert.Equal(type, response.Headers.GetValues("x-amzn-ErrorType").Single());
        Assert.NotEqual("", (await response.JsonAsync(401)).Text("Message"));
    }

    /// <summary>Signs as the documentation of AWS says, step by step.</summary>
    private async Task<HttpResponseMessage> SendAsync(Signed signed)
    {
        var host = _service.Http.BaseAddress!.Authority;
        var at = _time.GetUtcNow().UtcDateTime + signed.Off;
        var date = at.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var token = signed.Token ?? _key;
        var hash = signed.Hash ?? Hex(SHA256.HashData(signed.Body));
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["host"] = host,
            ["x-amz-date"] = date,
            ["x-amz-security-token"] = token,
        };
        if (signed.NamesHash)
            values["x-amz-content-sha256"] = hash;
        var names = signed.Headers ?? string.Join(';', values.Keys);
        var parts = signed.Address.Split('?');
        var query = string.Join('&', (parts.Length > 1 ? parts[1] : "").Split('&').Order(StringComparer.Ordinal));
        var canonical =
            $"{signed.Method}\n{parts[0].Replace("%", "%25", StringComparison.Ordinal)}\n{query}\n"
            + string.Concat(names.Split(';').Select(name => $"{name}:{values[name]}\n"))
            + $"\n{names}\n{hash}";
        var scope = $"{date[..8]}/{signed.Region}/{signed.Service}/aws4_request";
        var text = $"AWS4-HMAC-SHA256\n{date}\n{scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var secret = Encoding.UTF8.GetBytes($"AWS4{signed.Secret ?? _key}");
        foreach (var part in scope.Split('/'))
            secret = HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(part));
        var signature = Hex(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(text)));

        using var handler = new SocketsHttpHandler();
        using var http = new HttpClient(handler);
        // Sent as it is: nothing is decoded on the way.
        var address = new Uri(
            $"http://{host}{signed.SentPath ?? signed.Address}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
        );
        using var request = new HttpRequestMessage(signed.Method, address);
        if (signed.Method == HttpMethod.Post)
        {
            request.Content = new ByteArrayContent(signed.SentBody ?? signed.Body);
            request.Content.Headers.ContentType = new("image/png");
        }
        foreach (var (name, value) in values)
            if (name != "host")
                request.Headers.TryAddWithoutValidation(name, value);
        request.Headers.TryAddWithoutValidation(
            "Authorization",
            $"AWS4-HMAC-SHA256 Credential={signed.Id ?? _id}/{scope}, SignedHeaders={names}, Signature={signature}"
        );
        return await http.SendAsync(request);
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    /// <summary>What is signed, and what is sent in its place.</summary>
    private sealed record Signed(string Address)
    {
        public HttpMethod Method { get; init; } = HttpMethod.Get;
        public byte[] Body { get; init; } = [];
        public TimeSpan Off { get; init; }
        public bool NamesHash { get; init; }
        public string Region { get; init; } = "eu-west-1";
        public string Service { get; init; } = "lookoutvision";
        public string? Hash { get; init; }
        public string? Headers { get; init; }
        public string? Id { get; init; }
        public string? Secret { get; init; }
        public string? Token { get; init; }
        public string? SentPath { get; init; }
        public byte[]? SentBody { get; init; }
    }
}
