using PaDiM.Service.Http;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public sealed class RateLimitTests
{
    [Fact]
    public async Task Each_key_has_a_share_of_its_own_and_waits_when_it_is_used_up()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("RequestsPerMinute", 3));
        using var one = service.With((await service.KeyAsync(AccessScope.Score, name: "one")).Text);
        using var two = service.With((await service.KeyAsync(AccessScope.Score, name: "two")).Text);
        var answers = new List<HttpResponseMessage>();
        for (var i = 0; i < 6; i++)
            answers.Add(await one.GetAsync("/v1/categories"));

        // The bucket gets a new token every 20 s: of six requests in a row it lets three through, or four.
        Assert.All(answers.Take(3), answer => Assert.Equal(200, (int)answer.StatusCode));
        var limited = answers.Last(answer => (int)answer.StatusCode != 200);
        Assert.InRange(
            int.Parse(
                limited.Headers.GetValues("Retry-After").Single(),
                System.Globalization.CultureInfo.InvariantCulture
            ),
            1,
            20
        );
        await limited.ProblemAsync(429, "rate_limited");
        await (await two.GetAsync("/v1/categories")).JsonAsync(200);
        for (var i = 0; i < 6; i++)
            await (await service.Http.GetAsync("/health/live")).JsonAsync(200);
    }

    [Fact]
    public async Task Wrong_keys_are_counted_by_address_and_lock_no_right_one_out()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("FailedAttemptsPerMinute", 2));
        using var right = service.With((await service.KeyAsync(AccessScope.Score)).Text);
        using var wrong = service.With($"padim_{new string('0', 12)}_{new string('A', 43)}");
        var codes = new List<int>();
        for (var i = 0; i < 5; i++)
            codes.Add((int)(await wrong.GetAsync("/v1/categories")).StatusCode);
        Assert.Equal([401, 401], codes.Take(2));
        Assert.Contains(429, codes);
        await (await right.GetAsync("/v1/categories")).JsonAsync(200);
        using var elsewhere = Callers.From("127.0.0.9", service.Http.BaseAddress!);
        await (await elsewhere.GetAsync("/v1/categories")).ProblemAsync(401, "unauthenticated");
    }
}
