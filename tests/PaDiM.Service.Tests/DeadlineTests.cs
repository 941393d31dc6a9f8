using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary><c>X-Deadline-Ms</c>.</summary>
public sealed class DeadlineTests(SharedService shared)
{
    [Theory]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("soon")]
    [InlineData("1.5")]
    [InlineData("86400001")]
    public async Task What_is_no_number_of_milliseconds_is_refused(string deadline)
    {
        var category = await shared.FittedAsync();
        await (await SendAsync(category, deadline)).ProblemAsync(400, "invalid_request");
    }

    [Fact]
    public async Task An_answer_in_time_is_an_answer_like_any_other()
    {
        var category = await shared.FittedAsync();
        var expected = (await category.ScoreAsync(Parts.Bad(1))).Number("score");
        Assert.Equal(
            expected,
            (await (await SendAsync(category, "60000")).JsonAsync(200)).Number("score"),
            1e-4 * expected
        );
    }

    [Theory]
    [InlineData("score")]
    [InlineData("score/batch")]
    public async Task An_image_that_waits_beyond_it_is_given_up_and_the_next_one_is_scored(string operation)
    {
        using var data = new TempDirectory();
        // Every image waits for its batch to fill, for a second.
        await using var service = await RunningService.StartAsync(data.Path, ("MaxBatchWaitMs", 1000));
        var category = service.Category("late");
        await category.CreateFittedAsync(3);
        await category.ScoreAsync(Parts.Bad(1));
        var problem = await (await SendAsync(category, "100", operation)).ProblemAsync(504, "deadline_passed");
        Assert.Contains("100 ms", problem.Text("detail"), StringComparison.Ordinal);
        Assert.Contains(
            "padim_score_failures_total{code=\"deadline_passed\"} 1",
            await service.Http.GetStringAsync("/metrics"),
            StringComparison.Ordinal
        );
        await category.ScoreAsync(Parts.Bad(1));
    }

    [Fact]
    public async Task Operations_that_keep_none_take_no_notice_of_it()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/v1/categories");
        request.Headers.Add("X-Deadline-Ms", "soon");
        await (await shared.Http.SendAsync(request)).JsonAsync(200);
    }

    private static Task<HttpResponseMessage> SendAsync(
        CategoryClient category,
        string deadline,
        string operation = "score"
    )
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/{operation}")
        {
            Content = CategoryClient.Form(("files", "part.bmp", Parts.Bad(1))),
        };
        request.Headers.Add("X-Deadline-Ms", deadline);
        return category.Http.SendAsync(request);
    }
}
