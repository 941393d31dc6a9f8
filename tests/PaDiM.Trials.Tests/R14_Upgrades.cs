using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using PaDiM.Service.Data;
using PaDiM.Service.Maintenance;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// A database of each schema that there has been, with rows and their files, opened by this build; and one of a later
/// schema.
/// </summary>
public sealed class R14_Upgrades(PreparedData prepared) : IClassFixture<PreparedData>
{
    private static readonly string[] All = ListSchemas();

    public static TheoryData<string> Schemas { get; } = new(All);

    [Theory]
    [MemberData(nameof(Schemas))]
    public async Task Data_of_an_earlier_schema_is_all_there(string schema)
    {
        using var data = new TempDirectory();
        var score = await PrepareAsync(data.Path, schema);

        // Before anything has touched it: a backup that the version of that time could have made.
        var restored = data.Combine("restored");
        if (schema == All[^1])
            await new DataCopy(
                new DataDirectory(data.Combine("data")),
                new DataDirectory(data.Combine("backup")),
                TimeProvider.System
            ).BackUpAsync(default);
        await new DataCopy(
            new DataDirectory(data.Combine("data")),
            new DataDirectory(restored),
            TimeProvider.System
        ).RestoreAsync(default);
        foreach (var folder in new[] { data.Combine("data"), restored })
        {
            await using var service = await RunningService.StartAsync(folder);
            var category = service.Category("old");
            var scored = await category.ScoreAsync(Parts.Bad(1));
            Assert.Equal((score, 1), (scored.Number("score"), scored.Version()));
            Assert.Equal(3, (await service.Http.GetJsonAsync($"{category.Url}/images")).Items().Length);
            var history = (await service.Http.GetJsonAsync($"{category.Url}/threshold")).Items("history");
            Assert.Equal(0.05, Assert.Single(history).Number("falseRejectRate"));
            Assert.Equal(
                "succeeded",
                Assert.Single((await service.Http.GetJsonAsync("/v1/jobs")).Items()).Text("state")
            );
            Assert.Equal(2, await category.FitAsync());
            await Trial.IsWholeAsync(service);
        }
    }

    [Fact]
    public async Task Data_of_a_later_schema_is_refused_and_left_as_it_is()
    {
        using var data = new TempDirectory();
        await PrepareAsync(data.Path, All[^1]);
        var directory = new DataDirectory(data.Combine("data"));
        await using (var connection = new SqliteConnection($"Data Source={directory.Database};Pooling=False"))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = connection.CreateCommand();
            command.CommandText = "INSERT INTO __EFMigrationsHistory VALUES ('29990101000000_Later', '99.0.0')";
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        var before = await File.ReadAllBytesAsync(directory.Database, TestContext.Current.CancellationToken);
        var (exitCode, _, error) = await ServiceProcess.RefusedAsync(directory.Root);
        Assert.Equal(1, exitCode);
        Assert.Contains("29990101000000_Later", error, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidDataException>(() =>
            new DataCopy(directory, new DataDirectory(data.Combine("backup")), TimeProvider.System).BackUpAsync(default)
        );
        Assert.Equal(before, await File.ReadAllBytesAsync(directory.Database, TestContext.Current.CancellationToken));
    }

    /// <summary>
    /// Fits and changes with this build, takes the schema back to an earlier one, which drops what that did not know,
    /// and gives the score of an image.
    /// </summary>
    private async Task<double> PrepareAsync(string folder, string schema)
    {
        var directory = new DataDirectory(Path.Combine(folder, "data"));
        var score = await prepared.CopyAsync("fitted", directory.Root, FitAsync);
        await using var db = Open(directory.Database);
        await db.Database.GetService<IMigrator>().MigrateAsync(schema);
        return score;
    }

    private static async Task<double> FitAsync(string folder)
    {
        await using var service = await RunningService.StartAsync(folder);
        var category = service.Category("old");
        await category.CreateFittedAsync(3);
        await (await category.PatchThresholdAsync(new { falseRejectRate = 0.05 })).JsonAsync(200);
        return (await category.ScoreAsync(Parts.Bad(1))).Number("score");
    }

    private static string[] ListSchemas()
    {
        using var db = Open("nowhere.db");
        return [.. db.Database.GetMigrations()];
    }

    private static PadimDbContext Open(string path) =>
        new(new DbContextOptionsBuilder<PadimDbContext>().UseSqlite($"Data Source={path};Pooling=False").Options);
}
