using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Client.Tests.Support;

/// <summary>The walk as <c>docs/clients.md</c> shows it, for a program to run.</summary>
internal static class DocumentedWalk
{
    /// <summary>Reads the code of a language, for another address and category.</summary>
    public static string Read(string language, Uri address, string category)
    {
        var start = $"```{language}\n";
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "clients.md"));
        var from = page.IndexOf(start, StringComparison.Ordinal) + start.Length;
        return page[from..page.IndexOf("```", from, StringComparison.Ordinal)]
            .Replace("http://localhost:8080", address.ToString(), StringComparison.Ordinal)
            .Replace("\"flange\"", $"\"{category}\"", StringComparison.Ordinal);
    }

    /// <summary>Writes the parts that the code reads.</summary>
    public static async Task WritePartsAsync(TempDirectory folder)
    {
        Directory.CreateDirectory(folder.Combine("parts/train/good"));
        Directory.CreateDirectory(folder.Combine("parts/test/scratch"));
        for (var seed = 0; seed < 12; seed++)
            await File.WriteAllBytesAsync(folder.Combine($"parts/train/good/{seed:000}.bmp"), Parts.Good(seed));
        await File.WriteAllBytesAsync(folder.Combine("parts/test/scratch/002.png"), Parts.Bad(70));
    }
}
