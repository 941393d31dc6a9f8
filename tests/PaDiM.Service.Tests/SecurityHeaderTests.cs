using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

public sealed class SecurityHeaderTests(SharedService shared)
{
    [Theory]
    [InlineData("/v1/categories")]
    [InlineData("/v1/nowhere")]
    [InlineData("/health/live")]
    [InlineData("/swagger/index.html")]
    [InlineData("/")]
    public async Task Every_answer_keeps_browsers_from_guessing_framing_and_telling(string url)
    {
        var answer = await shared.Http.GetAsync(url);
        Assert.Equal(["nosniff"], answer.Headers.GetValues("X-Content-Type-Options"));
        Assert.Equal(["DENY"], answer.Headers.GetValues("X-Frame-Options"));
        Assert.Equal(["no-referrer"], answer.Headers.GetValues("Referrer-Policy"));
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("script-src 'self' 'unsafe", policy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answers_are_kept_by_nobody_but_for_images_which_never_change()
    {
        var category = await shared.NewCategoryAsync();
        var id = (await category.UploadPartsAsync(0, 1))[0];
        Assert.True((await shared.Http.GetAsync(category.Url)).Headers.CacheControl!.NoStore);
        Assert.True((await shared.Http.GetAsync($"{category.Url}/models/9")).Headers.CacheControl!.NoStore);
        var image = await shared.Http.GetAsync($"{category.Url}/images/{id}");
        Assert.True(image.Headers.CacheControl is { NoStore: false, Private: true });
        Assert.Equal(
            ("attachment", "image/bmp"),
            (image.Content.Headers.ContentDisposition?.DispositionType, image.Content.Headers.ContentType?.MediaType)
        );
    }

    [Fact]
    public async Task A_mask_that_is_served_back_is_a_file_and_no_page()
    {
        var category = await shared.NewCategoryAsync();
        await (
            await shared.Http.PutAsync(
                $"{category.Url}/ignore-mask",
                CategoryClient.Raw(Parts.Square(0, 0, 10), "image/bmp")
            )
        ).JsonAsync(200);
        var mask = await shared.Http.GetAsync($"{category.Url}/ignore-mask");
        Assert.Equal(
            ("attachment", $"{category.Name}-ignore-mask.bmp", "image/bmp"),
            (
                mask.Content.Headers.ContentDisposition?.DispositionType,
                mask.Content.Headers.ContentDisposition?.FileName,
                mask.Content.Headers.ContentType?.MediaType
            )
        );
    }
}
