using System.Text;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>One service without a key: it is open to this machine, and no request here makes a key.</summary>
public sealed class OpenServiceTests(OpenService open) : IClassFixture<OpenService>
{
    [Theory]
    [InlineData("evil.example", null)]
    [InlineData("localhost.evil.example", null)]
    [InlineData("localhost", "http://evil.example")]
    [InlineData("localhost", "null")]
    public async Task A_page_of_another_site_is_not_this_machine(string host, string? origin)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/v1/categories");
        request.Headers.Host = host;
        if (origin is not null)
            request.Headers.Add("Origin", origin);
        await (await open.Http.SendAsync(request)).ProblemAsync(401, "unauthenticated");
        await open.Http.GetJsonAsync("/v1/categories");
    }

    [Fact]
    public async Task A_request_through_a_proxy_does_not_count_as_this_machine()
    {
        foreach (var header in new[] { "X-Forwarded-For", "Forwarded", "Via", "X-Real-IP" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/categories");
            request.Headers.TryAddWithoutValidation(header, "for=203.0.113.7");
            await (await open.Http.SendAsync(request)).ProblemAsync(401, "unauthenticated");
        }
    }

    [Fact]
    public async Task A_scope_that_does_not_exist_is_told_those_that_do()
    {
        var problem = await (
            await open.Http.PostAsync(
                "/v1/keys",
                new StringContent("""{"name":"line","scope":"root"}""", Encoding.UTF8, "application/json")
            )
        ).ProblemAsync(400, "invalid_request");
        Assert.Contains("'scope'", problem.Text("detail"), StringComparison.Ordinal);
        Assert.Contains(
            "expected one of score, review, train, admin",
            problem.Text("detail"),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("""{"scope":"score"}""", "invalid_request")]
    [InlineData("""{"name":"line"}""", "invalid_request")]
    [InlineData("""{"name":"anonymous","scope":"score"}""", "invalid_request")]
    [InlineData("""{"name":"token:robot","scope":"score"}""", "invalid_request")]
    [InlineData("""{"name":"line","scope":"root"}""", "invalid_request")]
    [InlineData("""{"name":"line","scope":"score","categories":[]}""", "invalid_request")]
    [InlineData("""{"name":"line","scope":"score","categories":["../x"]}""", "invalid_name")]
    [InlineData("""{"name":"line","scope":"score","categories":[null]}""", "invalid_name")]
    [InlineData("""{"name":"line","scope":"score","expiresAt":"2001-01-01T00:00:00Z"}""", "invalid_request")]
    public async Task A_key_that_makes_no_sense_is_not_made(string body, string code)
    {
        await (
            await open.Http.PostAsync("/v1/keys", new StringContent(body, Encoding.UTF8, "application/json"))
        ).ProblemAsync(400, code);
        Assert.Empty((await open.Http.GetJsonAsync("/v1/keys")).Items());
    }
}
