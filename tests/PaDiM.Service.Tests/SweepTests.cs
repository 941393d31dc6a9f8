using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Maintenance;
using PaDiM.Service.Objects;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public sealed class SweepTests
{
    [Fact]
    public async Task A_sweep_removes_what_no_row_speaks_of_and_keeps_the_rest()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("swept");
        await category.CreateAsync();
        var images = await category.UploadPartsAsync(0, 4);
        var anomalous = await category.UploadAsync(
            [("x.bmp", Parts.Bad(1))],
            "?label=anomalous",
            [("x.png", Parts.Plain(Parts.Side, Parts.Side, 255))]
        );
        await anomalous.JsonAsync(200);
        await category.FitAsync();
        await category.FitAsync();
        var directory = service.Get<DataDirectory>();
        var kept = Files(directory);

        await service.Http.DeleteAsync($"{category.Url}/images/{images[0]}");
        var gone = await service.Get<BlobStore>().PutAsync([1, 2, 3], default);
        Touch(Path.Combine(directory.Images, "ab", "abcd.tmp-1234"));
        Touch(Path.Combine(directory.Models, "swept", "0123-1.safetensors"));
        Touch(Path.Combine(directory.Models, "swept", "0123-1.statistics.safetensors.tmp-99"));
        Touch(Path.Combine(directory.Models, "nobody", "import-1.safetensors.tmp-body"));
        Assert.Equal(0, await service.Get<OrphanSweeper>().SweepAsync(default));

        // The deleted image, the statistics behind the older model, and the five strangers.
        Assert.Equal(7, await SweepEverythingAsync(service));
        Assert.Equal(kept.Length - 2, Files(directory).Length);
        Assert.Subset(kept.ToHashSet(), Files(directory).ToHashSet());
        Assert.False(File.Exists(service.GetBlobPath(gone)));
        Assert.False(Directory.Exists(Path.Combine(directory.Models, "nobody")));
        Assert.Equal(0, await SweepEverythingAsync(service));

        Assert.Equal(200, (int)(await service.Http.GetAsync($"{category.Url}/images/{images[1]}")).StatusCode);
        await category.ScoreAsync(Parts.Good(1), "?model=1");
        await category.FitAsync();
    }

    [Fact]
    public async Task Everything_of_a_deleted_category_goes_with_the_next_sweep()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("gone");
        await category.CreateFittedAsync(2);
        await service.Http.DeleteAsync(category.Url);
        await SweepEverythingAsync(service);
        Assert.Empty(Directory.EnumerateFileSystemEntries(service.Get<DataDirectory>().Models));
        Assert.Empty(Directory.GetFiles(service.Get<DataDirectory>().Images, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Bytes_that_come_again_are_safe_from_the_sweep()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("JobWorkers", 0));
        var blobs = service.Get<BlobStore>();
        var sha256 = await blobs.PutAsync([1, 2, 3], default);
        var old = DateTime.UtcNow.AddHours(-1);
        File.SetLastWriteTimeUtc(service.GetBlobPath(sha256), old);
        await blobs.PutAsync([1, 2, 3], default);
        Assert.Equal(0, await service.Get<OrphanSweeper>().SweepAsync(default));
        Assert.True(File.Exists(service.GetBlobPath(sha256)));
    }

    [Fact]
    public async Task Uploads_and_sweeps_of_the_same_bytes_never_lose_an_image()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("JobWorkers", 0));
        var category = service.Category("raced");
        await category.CreateAsync();
        var blobs = service.Get<BlobStore>();
        var sweeper = service.Get<OrphanSweeper>();
        for (var round = 0; round < 40; round++)
        {
            var sha256 = await blobs.PutAsync(Parts.Good(1), default);
            File.SetLastWriteTimeUtc(service.GetBlobPath(sha256), DateTime.UtcNow.AddHours(-1));
            using var start = new Barrier(2);
            var sweep = Task.Run(() =>
            {
                start.SignalAndWait();
                return sweeper.SweepAsync(default);
            });
            var upload = Task.Run(() =>
            {
                start.SignalAndWait();
                return category.UploadRawAsync(Parts.Good(1), "image/bmp");
            });
            await sweep;
            var image = (await (await upload).JsonAsync(200)).Items("accepted").Single();
            Assert.True(File.Exists(service.GetBlobPath(image.Text("sha256"))));
            await service.Http.DeleteAsync($"{category.Url}/images/{image.Text("id")}");
        }
    }

    /// <summary>Sweeps as if the time of grace were over for every file.</summary>
    internal static async Task<int> SweepEverythingAsync(RunningService service)
    {
        var later = new ManualTime();
        later.Advance(TimeSpan.FromHours(1));
        using var sweeper = new OrphanSweeper(
            service.Get<IDbContextFactory<PadimDbContext>>(),
            service.Get<DataDirectory>(),
            service.Get<IObjectStore>(),
            service.Get<Duties>(),
            service.Get<IOptions<MaintenanceOptions>>(),
            later,
            NullLogger<OrphanSweeper>.Instance
        );
        return await sweeper.SweepAsync(default);
    }

    private static string[] Files(DataDirectory directory) =>
        [
            .. new[] { directory.Images, directory.Models, directory.Embeddings }.SelectMany(folder =>
                Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
            ),
        ];

    private static void Touch(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, [1]);
    }
}
