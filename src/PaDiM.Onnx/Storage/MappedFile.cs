using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;

namespace PaDiM.Onnx.Storage;

/// <summary>
/// A file that is mapped into memory, as a stream over its bytes. Unlike a view stream it tells where they lie, so that tensors can be views of it; the mapping
/// ends when nothing refers to the stream any more, and need not be disposed.
/// </summary>
public sealed unsafe class MappedFile : UnmanagedMemoryStream
{
    /// <summary>Ends the mapping by its own finalizer.</summary>
    private readonly MemoryMappedViewAccessor view;

    private MappedFile(MemoryMappedViewAccessor view, long length) : base((byte*)view.SafeMemoryMappedViewHandle.DangerousGetHandle(), length) => this.view = view;

    /// <summary>Maps a file for reading.</summary>
    /// <param name="file">The file, of at least one byte; closed, which the mapping outlives.</param>
    public static MappedFile Open(FileStream file)
    {
        var length = file.Length;
        using var mapping = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        return new MappedFile(mapping.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), length);
    }

    /// <summary>SHA-256 of the whole file, lower-case hexadecimal; read where it lies, without a copy.</summary>
    public string Sha256()
    {
        const int block = 1 << 24;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var start = (byte*)view.SafeMemoryMappedViewHandle.DangerousGetHandle();
        for (var at = 0L; at < Length; at += block) hash.AppendData(new ReadOnlySpan<byte>(start + at, (int)Math.Min(block, Length - at)));
        GC.KeepAlive(this);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        // Tensors may still be views of it.
        GC.KeepAlive(view);
    }
}
