using System.Text;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Files with other bytes and the same pixels are one image.</summary>
public class DuplicateTests(SharedService shared)
{
    [Fact]
    public async Task The_same_pixels_in_other_files_are_a_duplicate()
    {
        var category = await shared.NewCategoryAsync();
        var accepted = (
            await (
                await category.UploadAsync([
                    ("a.png", Commented(1, "a")),
                    ("b.png", Commented(1, "b")),
                    ("c.bmp", Parts.Good(1)),
                    ("d.png", Commented(2, "a")),
                ])
            ).JsonAsync(200)
        ).Items("accepted");
        Assert.Equal([false, true, true, false], accepted.Select(image => image["duplicate"]!.GetValue<bool>()));
        var first = accepted[0].Text("id");
        Assert.Equal([null, first, first, null], accepted.Select(image => image["duplicateOf"]?.GetValue<string>()));
        Assert.Equal([first, first, first], accepted.Take(3).Select(image => image.Text("id")));
        Assert.Equal(2, (await shared.Http.GetJsonAsync($"{category.Url}/images")).Items().Length);
        var problem = await (
            await category.UploadRawAsync(Commented(1, "z"), "image/png", "?label=anomalous")
        ).ProblemAsync(400, "label_conflict");
        Assert.Equal("label_conflict", problem.Items("errors").Single().Text("code"));
    }

    [Fact]
    public async Task Six_copies_of_one_picture_are_too_few_for_a_fit()
    {
        var category = await shared.NewCategoryAsync();
        await (
            await category.UploadAsync(Enumerable.Range(0, 6).Select(i => ($"{i}.png", Commented(1, $"copy {i}"))))
        ).JsonAsync(200);
        await (await shared.Http.PostAsync($"{category.Url}/fits", null)).ProblemAsync(409, "too_few_images");
    }

    [Fact]
    public async Task Copies_that_an_earlier_version_stored_count_once_from_the_next_fit_on()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 6);
        await ForgetAsync(category.Name);
        await (
            await category.UploadAsync(Enumerable.Range(0, 5).Select(i => ($"{i}.png", Commented(3, $"copy {i}"))))
        ).JsonAsync(200);
        await ForgetAsync(category.Name);
        await (
            await category.UploadAsync(
                [("5.png", Commented(3, "copy 5")), ("bad.bmp", Parts.Bad(9))],
                "?label=anomalous"
            )
        ).JsonAsync(200);
        Assert.Equal(9, (await shared.Http.GetJsonAsync($"{category.Url}/images")).Items().Length);
        await category.FitAsync();
        Assert.Equal(6, (await shared.Http.GetJsonAsync($"{category.Url}/models/1"))["imageCount"]!.GetValue<int>());
        var again = await (await category.UploadRawAsync(Commented(4, "new"), "image/png")).JsonAsync(200);
        Assert.True(again.Items("accepted").Single()["duplicate"]!.GetValue<bool>());
    }

    /// <summary>Makes the rows look like those of a version that hashed no pixels.</summary>
    private async Task ForgetAsync(string category)
    {
        await using var db = await shared.Service.Get<IDbContextFactory<PadimDbContext>>().CreateDbContextAsync();
        await db
            .Images.Where(image => image.Category == category)
            .ExecuteUpdateAsync(set => set.SetProperty(image => image.PixelSha256, (string?)null));
    }

    /// <summary>A good part as PNG with a text in it.</summary>
    private static byte[] Commented(int seed, string text)
    {
        var png = Parts.Encoded(seed, "png");
        var chunk = PngFile.Chunk("tEXt", Encoding.ASCII.GetBytes($"Comment\0{text}"));
        // Behind the signature and the header.
        return [.. png.AsSpan(0, 33), .. chunk, .. png.AsSpan(33)];
    }
}
