using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Datasets;
using PaDiM.Service.Maintenance;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public class DatasetTests(SharedService shared)
{
    private static readonly byte[] Mask = Parts.BadMask();

    [Fact]
    public async Task A_round_trip_gives_the_same_images_labels_defects_and_masks()
    {
        var category = await shared.NewCategoryAsync();
        await (
            await category.UploadAsync([
                ("same.bmp", Parts.Good(1)),
                ("SAME.bmp", Parts.Good(2)),
                ("same.png", Parts.Encoded(3, "png")),
                ("../a\\b:c?.bmp", Parts.Good(4)),
                ("CON.bmp", Parts.Good(5)),
                ($"{new string('ü', 240)}.bmp", Parts.Good(7)),
                ("100%25 sure..", Parts.Good(8)),
            ])
        ).JsonAsync(200);
        await (await category.UploadRawAsync(Parts.Good(6), "image/bmp")).JsonAsync(200);
        await (await category.UploadRawAsync(Parts.Good(20), "image/bmp", "?heldOut=true")).JsonAsync(200);
        string?[] defects = [null, "good", "Anomalous", "a/../b", "..", "50%", "nul", "long scratch ä", "dent."];
        foreach (var (i, defect) in defects.Index())
            await (
                await category.UploadAsync(
                    [($"{i:000}.bmp", Parts.Bad(i)), ($"{i:000}_mask.png", Parts.Bad(100 + i))],
                    $"?label=anomalous{(defect is null ? "" : $"&defect={Uri.EscapeDataString(defect)}")}",
                    [($"{i:000}_mask.bmp", Mask)]
                )
            ).JsonAsync(200);

        var archive = await ExportAsync(category);
        using var head = await shared.Http.SendAsync(
            new HttpRequestMessage(HttpMethod.Head, $"{category.Url}/dataset")
        );
        Assert.Equal(
            (200, "application/zip", 0),
            (
                (int)head.StatusCode,
                head.Content.Headers.ContentType?.MediaType,
                (await head.Content.ReadAsByteArrayAsync()).Length
            )
        );
        var names = ZipFiles.Unpack(archive).Select(file => file.Name).ToArray();
        Assert.Equal(names.Length, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(
            names,
            name =>
            {
                var segments = name.Split('/');
                Assert.Equal(3, segments.Length);
                Assert.Contains(segments[0], new[] { "train", "test", "ground_truth" });
                Assert.All(segments, segment => Assert.Matches(@"\A[^<>:""\\|?*\x00-\x1f]*[^. ]\z", segment));
                Assert.All(
                    segments,
                    segment => Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(segment), 1, 255)
                );
            }
        );

        var copy = await shared.NewCategoryAsync();
        var answer = await (await copy.ImportAsync(archive)).JsonAsync(200);
        Assert.Empty(answer.Items("rejected"));
        Assert.Equal(
            (9, 2 * defects.Length, 1, defects.Length),
            (Added(answer, "normal"), Added(answer, "anomalous"), Added(answer, "heldOut"), Number(answer, "masks"))
        );
        var before = await DescribeAsync(category);
        Assert.Equal(before.Keys.Order(), (await DescribeAsync(copy)).Keys.Order());
        foreach (var (sha256, image) in await DescribeAsync(copy))
            Assert.Equal(before[sha256].Facts, image.Facts);
        // Names come back, except where two of them collided or were too long.
        var kept = (await DescribeAsync(copy)).Count(image => before[image.Key].Name == image.Value.Name);
        Assert.Equal(before.Count - 3, kept);
        Assert.Equal(await ReadMasksAsync(category), await ReadMasksAsync(copy));

        var again = await (await copy.ImportAsync(archive)).JsonAsync(200);
        Assert.Equal((0, 0), (Added(again, "normal"), Added(again, "anomalous")));
        Assert.Equal(before.Count, Number(again, "duplicates"));
        Assert.Equal(before.Count, (await DescribeAsync(copy)).Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("bottle/")]
    [InlineData("mvtec/bottle/")]
    public async Task The_layout_of_mvtec_ad_is_read_with_a_folder_above_it_and_without(string top)
    {
        var category = await shared.NewCategoryAsync();
        var answer = await (
            await category.ImportAsync(
                ZipFiles.Pack([
                    ("readme.txt", "read me"u8.ToArray()),
                    ($"{top}license.txt", "free"u8.ToArray()),
                    ($"{top}train/", []),
                    ($"__MACOSX/{top}train/good/._000.bmp", "junk"u8.ToArray()),
                    ($"{top}train/good/000.bmp", Parts.Good(0)),
                    ($"{top}train/good/001.bmp", Parts.Good(1)),
                    ($"{top}test/good/000.bmp", Parts.Good(2)),
                    ($"{top}test/dent/000.bmp", Parts.Bad(0)),
                    ($"{top}test/dent/001.bmp", Parts.Bad(1)),
                    ($"{top}ground_truth/dent/000_mask.bmp", Mask),
                    ($"{top}ground_truth/dent/001.bmp", Mask),
                ])
            )
        ).JsonAsync(200);
        Assert.Empty(answer.Items("rejected"));
        Assert.Equal(
            (3, 2, 1, 2, 4),
            (
                Added(answer, "normal"),
                Added(answer, "anomalous"),
                Added(answer, "heldOut"),
                Number(answer, "masks"),
                Number(answer, "ignored")
            )
        );
        var images = await DescribeAsync(category);
        Assert.Equal(2, images.Values.Count(image => image.Facts == ("anomalous", "dent", true, false)));
        Assert.Equal(1, images.Values.Count(image => image.Facts == ("normal", null, false, true)));
    }

    [Fact]
    public async Task One_bad_entry_never_loses_the_good_ones()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(7, 1);
        var answer = await (
            await category.ImportAsync(
                ZipFiles.Pack([
                    ("train/good/0.bmp", Parts.Good(0)),
                    ("train/good/junk.png", "no image"u8.ToArray()),
                    ("train/good/cut.bmp", Parts.Good(1)[..500]),
                    ("train/good/empty.png", []),
                    ("train/bad/0.bmp", Parts.Good(2)),
                    ("train/good/0.bmp", Parts.Good(3)),
                    ("../train/good/1.bmp", Parts.Good(4)),
                    ("/train/good/1.bmp", Parts.Good(4)),
                    ("C:/train/good/1.bmp", Parts.Good(4)),
                    (@"train\good\1.bmp", Parts.Good(4)),
                    ("train/good/./1.bmp", Parts.Good(4)),
                    ("train//good/1.bmp", Parts.Good(4)),
                    ("elsewhere/1.bmp", Parts.Good(4)),
                    ("test/dent/7.bmp", Parts.Good(7)),
                    ("test/dent/0.bmp", Parts.Bad(0)),
                    ("ground_truth/dent/0_mask.bmp", Parts.Plain(8, 8)),
                    ("ground_truth/dent/1_mask.bmp", Mask),
                    ("test/dent/2.bmp", Parts.Bad(2)),
                    ("test/dent/2.png", Parts.Bad(3)),
                    ("ground_truth/dent/2_mask.bmp", Mask),
                ])
            )
        ).JsonAsync(200);
        Assert.Equal((1, 3), (Added(answer, "normal"), Added(answer, "anomalous")));
        Assert.Equal(
            [
                ("../train/good/1.bmp", "archive_entry_invalid"),
                ("/train/good/1.bmp", "archive_entry_invalid"),
                ("C:/train/good/1.bmp", "archive_entry_invalid"),
                ("elsewhere/1.bmp", "archive_entry_invalid"),
                ("ground_truth/dent/0_mask.bmp", "mask_mismatch"),
                ("ground_truth/dent/1_mask.bmp", "mask_mismatch"),
                ("ground_truth/dent/2_mask.bmp", "mask_mismatch"),
                ("test/dent/7.bmp", "label_conflict"),
                ("train//good/1.bmp", "archive_entry_invalid"),
                ("train/bad/0.bmp", "archive_entry_invalid"),
                ("train/good/./1.bmp", "archive_entry_invalid"),
                ("train/good/0.bmp", "archive_entry_invalid"),
                ("train/good/cut.bmp", "image_unreadable"),
                ("train/good/empty.png", "empty_body"),
                ("train/good/junk.png", "image_unreadable"),
                (@"train\good\1.bmp", "archive_entry_invalid"),
            ],
            answer
                .Items("rejected")
                .Select(file => (file.Text("fileName"), file.Text("code")))
                .OrderBy(file => file.Item1, StringComparer.Ordinal)
        );
        Assert.Equal(16, Number(answer, "rejectedCount"));
        Assert.Equal(5, (await DescribeAsync(category)).Count);
    }

    [Fact]
    public async Task An_archive_without_a_data_set_is_refused()
    {
        var category = await shared.NewCategoryAsync();
        await RefuseAsync(ZipFiles.Pack([]), "archive_invalid");
        await RefuseAsync(ZipFiles.Pack([("readme.txt", "read me"u8.ToArray())]), "archive_invalid");
        await RefuseAsync(
            ZipFiles.Pack([("a/train/good/0.bmp", Parts.Good(0)), ("b/train/good/1.bmp", Parts.Good(1))]),
            "archive_invalid"
        );
        await RefuseAsync("no archive"u8.ToArray(), "archive_invalid");
        await (await category.ImportAsync([], "application/zip")).ProblemAsync(422, "archive_invalid");
        await (await category.ImportAsync(ZipFiles.Pack([("train/good/0.png", [1])]))).ProblemAsync(
            400,
            "image_unreadable"
        );
        await (await category.ImportAsync(ZipFiles.Pack([]), "image/png")).ProblemAsync(415, "unsupported_media_type");
        await (await shared.Service.Category(shared.NewName()).ImportAsync([])).ProblemAsync(404, "category_not_found");
        Assert.Empty(await DescribeAsync(category));
        Assert.Empty(Directory.GetFiles(shared.Service.Get<DataDirectory>().Images));

        async Task RefuseAsync(byte[] archive, string code) =>
            await (await category.ImportAsync(archive)).ProblemAsync(422, code);
    }

    [Fact]
    public async Task An_export_that_would_miss_an_image_says_so_before_it_begins()
    {
        var category = await shared.NewCategoryAsync();
        await (await category.UploadAsync([("a.bmp", Parts.Good(901)), ("b.bmp", Parts.Good(902))])).JsonAsync(200);
        var lost = (await DescribeAsync(category)).First(image => image.Value.Name == "b.bmp").Key;
        var path = shared.Service.GetBlobPath(lost);
        File.Delete(path);
        var problem = await (await shared.Http.GetAsync($"{category.Url}/dataset")).ProblemAsync(503, "image_damaged");
        Assert.Equal("b.bmp", problem.Items("errors").Single().Text("fileName"));

        // Damage shows only while the archive is sent; then it ends without its directory.
        await File.WriteAllBytesAsync(path, Parts.Good(903));
        using var response = await shared.Http.GetAsync(
            $"{category.Url}/dataset",
            HttpCompletionOption.ResponseHeadersRead
        );
        var received = new MemoryStream();
        await Assert.ThrowsAnyAsync<Exception>(async () =>
            await (await response.Content.ReadAsStreamAsync()).CopyToAsync(received)
        );
        Assert.Throws<InvalidDataException>(() => ZipFiles.Unpack(received.ToArray()));
    }

    [Fact]
    public async Task A_model_names_the_images_that_it_was_fitted_to()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, ("OrphanGraceMinutes", 1));
        var category = service.Category("part");
        await category.CreateAsync();
        var ids = await category.UploadPartsAsync(0, 3);
        await category.FitAsync();
        await category.UploadPartsAsync(3, 1);
        await service.Http.DeleteAsync($"{category.Url}/images/{ids[1]}");

        var set = (await service.Http.GetJsonAsync($"{category.Url}/models/1/images")).Items();
        Assert.Equal(
            new[] { "part-0.bmp", "part-1.bmp", "part-2.bmp" },
            set.Select(image => image.Text("fileName")).Order()
        );
        Assert.Equal(
            ids[..1].Concat(ids[2..]).Order(),
            set.Select(image => (string?)image["imageId"]).OfType<string>().Order()
        );
        Assert.All(set, image => Assert.True(image["available"]!.GetValue<bool>()));
        var page = await service.Http.GetJsonAsync($"{category.Url}/models/1/images?limit=2");
        var rest = await service.Http.GetJsonAsync(
            $"{category.Url}/models/1/images?limit=2&cursor={page.Text("nextCursor")}"
        );
        Assert.Equal(
            set.Select(image => image.Text("sha256")),
            page.Items().Concat(rest.Items()).Select(image => image.Text("sha256"))
        );
        Assert.Null(rest["nextCursor"]);

        var archive = await service.Http.GetByteArrayAsync($"{category.Url}/models/1/dataset");
        Assert.Equal(
            ["train/good/part-0.bmp", "train/good/part-1.bmp", "train/good/part-2.bmp"],
            ZipFiles.Unpack(archive).Select(file => file.Name).Order(StringComparer.Ordinal)
        );
        await (await service.Http.GetAsync($"{category.Url}/models/7/dataset")).ProblemAsync(404, "model_not_found");
        await (await service.Http.GetAsync($"{category.Url}/models/7/images")).ProblemAsync(404, "model_not_found");

        // A version that an earlier release published knows its images by the file only.
        await using (var db = await service.Get<IDbContextFactory<PadimDbContext>>().CreateDbContextAsync())
        {
            var notes = await db.ModelImages.AsNoTracking().ToArrayAsync();
            await db.ModelImages.ExecuteDeleteAsync();
            var old = (await service.Http.GetJsonAsync($"{category.Url}/models/1/images")).Items();
            Assert.Equal(set.Select(image => image.Text("sha256")), old.Select(image => image.Text("sha256")));
            Assert.Single(old, image => image["fileName"] is null);
            db.AddRange(notes);
            await db.SaveChangesAsync();
        }

        // Models keep no images: the sweep takes what was deleted.
        var gone = set.Single(image => image["imageId"] is null).Text("sha256");
        File.SetLastWriteTimeUtc(service.GetBlobPath(gone), DateTime.UtcNow.AddHours(-1));
        Assert.Equal(1, await service.Get<OrphanSweeper>().SweepAsync(default));
        var problem = await (await service.Http.GetAsync($"{category.Url}/models/1/dataset")).ProblemAsync(
            410,
            "model_images_gone"
        );
        Assert.Equal("part-1.bmp", problem.Items("errors").Single().Text("fileName"));
        Assert.Contains(gone, problem.Items("errors").Single().Text("detail"), StringComparison.Ordinal);
        Assert.Equal(
            2,
            ZipFiles
                .Unpack(await service.Http.GetByteArrayAsync($"{category.Url}/models/1/dataset?skipMissing=true"))
                .Count
        );
        set = (await service.Http.GetJsonAsync($"{category.Url}/models/1/images")).Items();
        Assert.Single(set, image => !image["available"]!.GetValue<bool>() && image.Text("fileName") == "part-1.bmp");
    }

    [Fact]
    public async Task An_imported_model_shows_no_images_of_other_categories()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var owner = service.Category("owner");
        await owner.CreateFittedAsync(3);
        var model = await service.Http.GetByteArrayAsync($"{owner.Url}/models/1/export");
        var other = service.Category("other");
        await other.CreateAsync();
        await other.UploadPartsAsync(0, 1);
        await (
            await service.Http.PostAsync(
                $"{other.Url}/models/import",
                CategoryClient.Raw(model, "application/octet-stream")
            )
        ).JsonAsync(201);
        var set = (await service.Http.GetJsonAsync($"{other.Url}/models/1/images")).Items();
        Assert.Equal(3, set.Length);
        Assert.Single(set, image => image["available"]!.GetValue<bool>());
        await (await service.Http.GetAsync($"{other.Url}/models/1/dataset")).ProblemAsync(410, "model_images_gone");
    }

    [Theory]
    [InlineData("part.png", "part.png")]
    [InlineData("a/b.png", "a%2Fb.png")]
    [InlineData("..", ".%2E")]
    [InlineData("nul.png", "%6Eul.png")]
    [InlineData("50%.png", "50%25.png")]
    [InlineData("a\u0001", "a%01")]
    [InlineData("end. ", "end.%20")]
    public void Names_that_no_file_can_have_are_written_and_read_back(string name, string encoded)
    {
        Assert.Equal(encoded, EntryName.Encode(name));
        Assert.Equal(name, EntryName.Decode(encoded));
    }

    [Theory]
    [InlineData("%41.png")]
    [InlineData("%zz")]
    [InlineData("%")]
    [InlineData("100%")]
    public void Names_that_no_export_made_stay_as_they_are(string name) => Assert.Equal(name, EntryName.Decode(name));

    private static int Added(JsonNode answer, string label) => answer["added"]![label]!.GetValue<int>();

    private static int Number(JsonNode answer, string member) => answer[member]!.GetValue<int>();

    private static Task<byte[]> ExportAsync(CategoryClient category) =>
        category.Http.GetByteArrayAsync($"{category.Url}/dataset");

    private static async Task<
        Dictionary<string, (string Name, (string Label, string? Defect, bool HasMask, bool HeldOut) Facts)>
    > DescribeAsync(CategoryClient category) =>
        (await category.Http.GetJsonAsync($"{category.Url}/images?limit=1000"))
            .Items()
            .ToDictionary(
                image => image.Text("sha256"),
                image =>
                    (
                        image.Text("fileName"),
                        (
                            image.Text("label"),
                            (string?)image["defect"],
                            image["hasMask"]!.GetValue<bool>(),
                            image["heldOut"]!.GetValue<bool>()
                        )
                    )
            );

    private static async Task<IEnumerable<string>> ReadMasksAsync(CategoryClient category) =>
        ZipFiles
            .Unpack(await ExportAsync(category))
            .Where(file => file.Name.StartsWith("ground_truth/", StringComparison.Ordinal))
            .Select(file => $"{file.Name} {Convert.ToHexString(file.Bytes)}")
            .Order(StringComparer.Ordinal);
}
