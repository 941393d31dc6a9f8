using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>A disk with less room than is to be kept free.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task Nothing_new_is_stored_and_scoring_goes_on()
    {
        using var data = new TempDirectory();
        await using (var before = await RunningService.StartAsync(data.Path))
        {
            await before.Category("part").CreateAsync();
            await before.Category("part").UploadPartsAsync(0, 3);
            await (
                await before.Category("part").UploadRawAsync(Parts.Bad(1), "image/bmp", "?label=anomalous")
            ).JsonAsync(200);
            await before.Category("part").FitAsync();
        }
        await using var service = await RunningService.StartAsync(data.Path, ("MinFreeBytes", long.MaxValue));
        var category = service.Category("part");
        var full = await (await category.UploadRawAsync(Parts.Good(9), "image/bmp")).ProblemAsync(507, "storage_full");
        Assert.Contains("MinFreeBytes", full.Text("detail"), StringComparison.Ordinal);
        await (await category.UploadAsync([("a.bmp", Parts.Good(9))])).ProblemAsync(507, "storage_full");
        await (await service.Http.PostAsync($"{category.Url}/fits", null)).ProblemAsync(507, "storage_full");
        await (await service.Http.PostAsync($"{category.Url}/evaluations", null)).ProblemAsync(507, "storage_full");
        await (
            await service.Http.PutAsync($"{category.Url}/ignore-mask", CategoryClient.Raw(Parts.BadMask(), "image/bmp"))
        ).ProblemAsync(507, "storage_full");
        await (
            await service.Http.PostAsync(
                $"{category.Url}/models/import",
                CategoryClient.Raw([1], "application/octet-stream")
            )
        ).ProblemAsync(507, "storage_full");

        await category.ScoreAsync(Parts.Good(1));
        await (await category.PatchThresholdAsync(new { threshold = 3.5 })).JsonAsync(200);
        Assert.Equal(4, (await service.Http.GetJsonAsync($"{category.Url}/images")).Items().Length);
    }
}
