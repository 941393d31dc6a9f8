using PaDiM.Service.Data;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// Bits flipped in a model's file, one at a time, all over it; the file cut short; another version's file in its place.
/// </summary>
public sealed class R05_DamagedModels
{
    [Fact]
    public async Task Damage_is_seen_every_time_and_never_scores()
    {
        using var data = new TempDirectory();
        var random = new Random(5);
        var flips = TrialLength.Of(60, 2000);
        var cuts = TrialLength.Of(10, 200);
        double first;
        await using (var before = await RunningService.StartAsync(data.Path))
        {
            var part = before.Category("part");
            await part.CreateFittedAsync(4);
            first = (await part.ScoreAsync(Parts.Bad(1))).Number("score");
            await part.UploadPartsAsync(4, 4);
            await part.FitAsync();
        }
        var files = Directory
            .GetFiles(new DataDirectory(data.Path).Models, "*.safetensors", SearchOption.AllDirectories)
            .Where(path => !path.Contains("statistics", StringComparison.Ordinal))
            .Order()
            .ToArray();
        var file = files[1];
        var whole = await File.ReadAllBytesAsync(files[1]);
        await File.WriteAllBytesAsync(file, whole[..^1]);

        await using var service = await RunningService.StartAsync(data.Path);
        var category = service.Category("part");
        await SeenAsync("one byte short");
        for (var k = 0; k < flips; k++)
        {
            // The header's first and last bytes and the file's, then anywhere.
            var at = k switch
            {
                0 => 0,
                1 => 7,
                2 => 8,
                3 => whole.Length - 1,
                _ => random.Next(whole.Length),
            };
            var bytes = whole.ToArray();
            bytes[at] ^= (byte)(1 << random.Next(8));
            await PutAsync(bytes);
            await SeenAsync($"a bit of byte {at}");
        }
        for (var k = 0; k < cuts; k++)
        {
            var length = k switch
            {
                0 => 0,
                1 => 1,
                _ => random.Next(whole.Length),
            };
            await PutAsync(whole[..length]);
            await SeenAsync($"cut to {length} bytes");
        }
        await PutAsync([.. whole, 0]);
        await SeenAsync("one byte more");
        await PutAsync(await File.ReadAllBytesAsync(files[0]));
        await SeenAsync("the file of version 1");

        await PutAsync(whole);
        System.Text.Json.Nodes.JsonNode? seen = null;
        await Eventually.TrueAsync(
            async () => (seen = await category.ScoreAsync(Parts.Bad(1))).Version() == 2,
            () => $"{seen}"
        );
        Assert.NotEqual(first, seen!.Number("score"));
        Trial.Tell($"{flips} flips, {cuts + 2} cuts and additions, one swap: all seen");

        async Task SeenAsync(string what)
        {
            await (await category.SendScoreAsync(Parts.Bad(1), "?model=2")).ProblemAsync(503, "model_corrupt");
            var scored = await category.ScoreAsync(Parts.Bad(1));
            Assert.True(
                (scored.Version(), scored["fallback"]!.GetValue<bool>(), scored.Number("score")) == (1, true, first),
                $"{what}: {scored}"
            );
        }

        // A new file each time, as a backup program puts it.
        async Task PutAsync(byte[] bytes)
        {
            await File.WriteAllBytesAsync(file + ".new", bytes);
            File.Move(file + ".new", file, overwrite: true);
        }
    }
}
