using PaDiM.Engine.Files;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Files;

public sealed class AtomicFileTests
{
    [Fact]
    public void A_file_appears_with_all_its_bytes_and_its_folder()
    {
        using var folder = new TempDirectory();
        var path = folder.Combine("a", "b", "file.bin");
        AtomicFile.Write(path, stream => stream.Write([1, 2, 3]));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.Combine("a", "b")));
    }

    [Fact]
    public async Task Its_hash_is_that_of_the_bytes_on_disk()
    {
        using var folder = new TempDirectory();
        var path = folder.Combine("file.bin");

        var (bytes, sha256) = await AtomicFile.WriteHashedAsync(
            path,
            stream =>
            {
                Write(stream);
                return Task.CompletedTask;
            }
        );

        Assert.Equal(3, bytes);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
        Assert.Equal(FileHash.Compute(path), sha256);
        Assert.Equal(sha256, FileHash.Compute(Write));

        static void Write(Stream stream)
        {
            stream.Write([1, 2]);
            stream.Write([0, 3], 1, 1);
        }
    }

    [Fact]
    public void A_failing_writer_leaves_neither_file_nor_temporary()
    {
        using var folder = new TempDirectory();
        Assert.Throws<InvalidOperationException>(() =>
            AtomicFile.Write(
                folder.Combine("file.bin"),
                stream =>
                {
                    stream.Write(new byte[3 << 20]);
                    throw new InvalidOperationException();
                }
            )
        );
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_failing_writer_leaves_an_earlier_file_as_it_was()
    {
        using var folder = new TempDirectory();
        var path = folder.Combine("file.bin");
        AtomicFile.Write(path, stream => stream.WriteByte(1));
        Assert.Throws<InvalidOperationException>(() =>
            AtomicFile.Write(path, _ => throw new InvalidOperationException())
        );
        Assert.Equal([1], File.ReadAllBytes(path));
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.Path));
        AtomicFile.Write(path, stream => stream.WriteByte(2));
        Assert.Equal([2], File.ReadAllBytes(path));
    }

    [Fact]
    public void Until_it_is_whole_a_file_is_seen_only_under_a_temporary_name()
    {
        using var folder = new TempDirectory();
        AtomicFile.Write(
            folder.Combine("file.bin"),
            stream =>
            {
                stream.WriteByte(1);
                stream.Flush();
                Assert.Contains(
                    AtomicFile.TemporaryMark,
                    Path.GetFileName(Assert.Single(Directory.EnumerateFiles(folder.Path))),
                    StringComparison.Ordinal
                );
            }
        );
    }

    [Fact]
    public void A_folder_in_the_way_is_an_error_that_leaves_nothing_behind()
    {
        using var folder = new TempDirectory();
        Directory.CreateDirectory(folder.Combine("taken", "inside"));
        Assert.ThrowsAny<Exception>(() => AtomicFile.Write(folder.Combine("taken"), stream => stream.WriteByte(1)));
        Assert.Equal([folder.Combine("taken")], Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Many_writers_of_one_file_leave_one_of_their_files_whole()
    {
        using var folder = new TempDirectory();
        var path = folder.Combine("file.bin");
        Parallel.For(
            1,
            17,
            i => AtomicFile.Write(path, stream => stream.Write([.. Enumerable.Repeat((byte)i, 100_000)]))
        );
        var bytes = File.ReadAllBytes(path);
        Assert.Equal(100_000, bytes.Length);
        Assert.Single(bytes.Distinct());
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.Path));
    }
}
