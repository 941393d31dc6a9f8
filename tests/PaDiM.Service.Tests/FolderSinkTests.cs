using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using PaDiM.Service.Data;
using PaDiM.Service.Scoring;
using PaDiM.Service.Sinks;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>What is on the disk after inspections, faults and days.</summary>
public sealed class FolderSinkTests : IDisposable
{
    private const string Day = "2026-11-30";
    private readonly TempDirectory _data = new();
    private readonly StoppedTime _time = new();

    private string Root => _data.Combine("sinks/archive");

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Every_inspection_is_a_line_of_its_day()
    {
        await WriteAsync(Create(), Make("1"), Make("2", part: "a,\"b\"\nc"), Make("3", at: "2026-12-01T00:00:00Z"));
        var rows = Read($"{Day}/line-a.csv");
        Assert.Equal(["1", "2"], rows.Select(row => row["id"]));
        Assert.Equal("a,\"b\"\nc", rows[1]["part"]);
        Assert.Equal(
            ("2026-11-30T12:00:00.000Z", "part", "anomalous", "31.5", "false", "1", "blurred too_dark", "line-a"),
            (
                rows[0]["at"],
                rows[0]["category"],
                rows[0]["decision"],
                rows[0]["score"],
                rows[0]["fallback"],
                rows[0]["regions"],
                rows[0]["warnings"],
                rows[0]["replica"]
            )
        );
        Assert.Equal("3", Assert.Single(Read("2026-12-01/line-a.csv"))["id"]);
    }

    [Theory]
    [InlineData("=1+1")]
    [InlineData("+1")]
    [InlineData("-1")]
    [InlineData("@SUM(A1)")]
    [InlineData("\t=1")]
    [InlineData("\r=1")]
    public async Task A_spreadsheet_runs_no_name(string name)
    {
        await WriteAsync(Create(), Make("1", part: name));
        Assert.Equal($"'{name}", Assert.Single(Read($"{Day}/line-a.csv"))["part"]);
    }

    [Fact]
    public async Task Half_a_line_goes_before_the_next_one()
    {
        await WriteAsync(Create(), Make("1"));
        var path = Path.Combine(Root, Day, "line-a.csv");
        await File.AppendAllTextAsync(path, "2026-11-30T12:00:01.000Z,part,2,SN");
        await WriteAsync(Create(), Make("3"));
        Assert.Equal(["1", "3"], Read($"{Day}/line-a.csv").Select(row => row["id"]));
        // Longer than what is looked at in one step, and without a line before it.
        await File.WriteAllTextAsync(path, new string('x', 10_000));
        await WriteAsync(Create(), Make("4"));
        Assert.Equal(["4"], Read($"{Day}/line-a.csv").Select(row => row["id"]));
    }

    [Fact]
    public async Task A_full_file_is_followed_by_the_next()
    {
        var target = Create(new FolderRequest { MaxFileBytes = 1024 });
        await WriteAsync(target, [.. Enumerable.Range(0, 20).Select(i => Make($"{i}"))]);
        var files = Directory.GetFiles(Path.Combine(Root, Day)).Select(Path.GetFileName).Order().ToArray();
        Assert.Contains("line-a.csv", files);
        Assert.Contains("line-a.2.csv", files);
        var all = Enumerable
            .Range(1, files.Length)
            .SelectMany(part => Read($"{Day}/{(part == 1 ? "line-a" : $"line-a.{part}")}.csv"));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}"), all.Select(row => row["id"]));
    }

    [Fact]
    public async Task Old_days_go_with_their_images_and_nothing_else_does()
    {
        foreach (var folder in new[] { "2026-11-20", "2026-11-28", "other" })
            Directory.CreateDirectory(Path.Combine(Root, folder));
        _time.SetUtcNow(new DateTimeOffset(2026, 11, 30, 13, 0, 0, TimeSpan.Zero));
        await WriteAsync(Create(new FolderRequest { KeepDays = 2 }), Make("1"));
        Assert.Equal(
            ["2026-11-28", Day, "other"],
            Directory.GetDirectories(Root).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task Images_are_beside_their_lines()
    {
        var target = Create(new FolderRequest { Images = true });
        var image = Parts.Good(1);
        await target.SendAsync(new SinkMessage(Make("..")) { Image = image }, default);
        await target.SendAsync(new SinkMessage(Make("raw")) { Image = [1, 2, 3] }, default);
        await target.SendAsync(new SinkMessage(Make("none")), default);
        Assert.Equal(["part_...bmp", "part_raw.raw", ""], Read($"{Day}/line-a.csv").Select(row => row["imageFile"]));
        Assert.Equal(image, await File.ReadAllBytesAsync(Path.Combine(Root, Day, "part_...bmp")));
        Assert.Equal(3, Directory.GetFiles(Path.Combine(Root, Day)).Length);
    }

    [Fact]
    public async Task A_full_disk_is_a_failed_delivery_and_leaves_nothing()
    {
        await using var target = new FolderTarget(new FolderRequest(), Root, "line-a", long.MaxValue / 2, _time);
        var failure = await Assert.ThrowsAsync<DeliveryException>(() =>
            target.SendAsync(new SinkMessage(Make("1")) { Image = Parts.Good(1) }, default)
        );
        Assert.False(failure.IsRefused);
        Assert.Empty(Directory.GetFiles(Root, "*", SearchOption.AllDirectories));
        // /dev/full takes no byte.
        Assert.SkipUnless(File.Exists("/dev/full"), "/dev/full is absent.");
        File.CreateSymbolicLink(Path.Combine(Root, Day, "line-a.csv"), "/dev/full");
        await Assert.ThrowsAsync<DeliveryException>(() => Create().SendAsync(new SinkMessage(Make("1")), default));
    }

    [Fact]
    public async Task A_folder_is_managed_like_any_sink()
    {
        const string url = "/v1/sinks/archive";
        await using var service = await RunningService.StartAsync(
            _data.Path,
            ("ReplicaName", "line-a"),
            ("MinFreeBytes", 1)
        );
        await service.Category("part").CreateFittedAsync(4);
        var made = await (await service.Http.PutAsJsonAsync(url, new { folder = new { images = true } })).JsonAsync(
            201
        );
        Assert.Equal(Root, made["folder"]!.Text("path"));
        var tested = await (await service.Http.PostAsync($"{url}/test", null)).JsonAsync(200);
        Assert.True(tested["delivered"]!.GetValue<bool>(), tested.ToJsonString());
        var answer = await service.Category("part").ScoreAsync(Parts.Bad(5));
        var day = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        await Eventually.TrueAsync(
            async () => (await service.Http.GetJsonAsync(url))["status"]!.Number("delivered") == 1,
            () => "Not delivered."
        );
        var row = Assert.Single(Read($"{day}/line-a.csv"));
        Assert.Equal((answer.Text("inspectionId"), "anomalous"), (row["id"], row["decision"]));
        Assert.Equal(Parts.Bad(5), await File.ReadAllBytesAsync(Path.Combine(Root, day, row["imageFile"])));
        foreach (var wrong in new object[] { new { maxFileBytes = 1 }, new { keepDays = 0 }, new { path = "/etc" } })
            Assert.False((await service.Http.PutAsJsonAsync(url, new { folder = wrong })).IsSuccessStatusCode);
    }

    private FolderTarget Create(FolderRequest? settings = null) =>
        new(settings ?? new FolderRequest(), Root, "line-a", 0, _time);

    private static async Task WriteAsync(FolderTarget target, params Inspection[] inspections)
    {
        foreach (var inspection in inspections)
            await target.SendAsync(new SinkMessage(inspection), default);
        await target.DisposeAsync();
    }

    /// <summary>Reads a file whose every line is whole, as RFC 4180 says.</summary>
    private List<Dictionary<string, string>> Read(string path)
    {
        var (rows, row, field, isQuoted) = (new List<List<string>>(), new List<string>(), new StringBuilder(), false);
        foreach (var letter in File.ReadAllText(Path.Combine(Root, path)))
            if (letter == '"')
            {
                // Two within quotes are one.
                if (!isQuoted && field.Length > 0)
                    field.Append(letter);
                isQuoted = !isQuoted;
            }
            else if (!isQuoted && letter is (',' or '\n'))
            {
                row.Add(field.ToString());
                field.Clear();
                if (letter != '\n')
                    continue;
                rows.Add(row);
                row = [];
            }
            else
                field.Append(letter);
        Assert.Equal((0, 0, false), (row.Count, field.Length, isQuoted));
        return
        [
            .. rows.Skip(1).Select(cells => rows[0].Zip(cells).ToDictionary(cell => cell.First, cell => cell.Second)),
        ];
    }

    private static Inspection Make(string id, string? part = "SN-1", string at = "2026-11-30T12:00:00Z") =>
        new(
            id,
            "part",
            part,
            null,
            null,
            DateTime.Parse(at, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal),
            Decision.Anomalous,
            31.5,
            20,
            0.01,
            "part",
            1,
            0,
            false,
            [new PaDiM.Core.Scoring.AnomalyRegion(1, 2, 3, 4, 5, 33)],
            ["blurred", "too_dark"],
            new ScoredImage(64, 64, new string('a', 64)),
            new Timings(0, 1, 2, 3, 4, 10),
            "line-a"
        );
}
