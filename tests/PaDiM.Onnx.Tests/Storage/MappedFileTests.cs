using PaDiM.Core.Models;
using PaDiM.Onnx.Storage;
using PaDiM.Onnx.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Onnx.Tests.Storage;

public sealed class MappedFileTests
{
    [Fact]
    public void It_holds_the_bytes_of_the_file_also_when_that_is_gone()
    {
        using var folder = new TempDirectory();
        byte[] bytes = [.. Enumerable.Range(0, 10_000).Select(i => (byte)(i * 7))];
        File.WriteAllBytes(folder.Combine("file"), bytes);
        var mapped = MappedFile.Open(File.OpenRead(folder.Combine("file")));
        File.Delete(folder.Combine("file"));
        var read = new byte[bytes.Length];
        mapped.ReadExactly(read);
        Assert.Equal((bytes.Length, -1), (mapped.Length, mapped.ReadByte()));
        Assert.Equal(bytes, read);
    }

    [Fact]
    public void A_model_that_is_mapped_is_the_one_that_was_written_and_outlives_the_stream()
    {
        using var folder = new TempDirectory();
        using var fits = new Fits();
        var bytes = Fits.Bytes(fits.Run(fits.Parts(0, 6)));
        File.WriteAllBytes(folder.Combine("model"), bytes);
        var model = ModelFile.Read(MappedFile.Open(File.OpenRead(folder.Combine("model"))));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(bytes, Fits.Bytes(model));
    }
}
