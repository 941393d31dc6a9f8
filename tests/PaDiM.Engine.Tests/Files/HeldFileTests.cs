using System.Security.Cryptography;
using PaDiM.Core.Persistence;
using PaDiM.Engine.Files;
using PaDiM.Engine.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Files;

public sealed class HeldFileTests
{
    [Theory]
    [InlineData(10_000)]
    [InlineData(1_000_003)]
    public void It_holds_the_bytes_of_the_file_whatever_becomes_of_that(int length)
    {
        using var folder = new TempDirectory();
        byte[] bytes = [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7))];
        File.WriteAllBytes(folder.Combine("file"), bytes);
        var held = HeldFile.Read(folder.Combine("file"));
        using (var cut = new FileStream(folder.Combine("file"), FileMode.Open))
            cut.SetLength(0);
        File.Delete(folder.Combine("file"));
        var read = new byte[bytes.Length];
        held.ReadExactly(read);
        Assert.Equal((bytes.Length, -1), (held.Length, held.ReadByte()));
        Assert.Equal(bytes, read);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), held.Sha256);
    }

    [Fact]
    public void An_empty_file_is_held_too()
    {
        using var folder = new TempDirectory();
        File.WriteAllBytes(folder.Combine("file"), []);
        Assert.Equal(0, HeldFile.Read(folder.Combine("file")).Length);
    }

    [Fact]
    public void A_model_that_is_held_is_the_one_that_was_written_and_outlives_the_stream()
    {
        using var folder = new TempDirectory();
        using var fits = new Fits();
        var bytes = Fits.Bytes(fits.Run(fits.Parts(0, 6)));
        File.WriteAllBytes(folder.Combine("model"), bytes);
        var model = ModelFile.Read(HeldFile.Read(folder.Combine("model")));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(bytes, Fits.Bytes(model));
    }
}
