using Microsoft.Extensions.Options;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>
/// Keeps the last of the disk for the database: whoever wants to store something new is told before the disk is full,
/// not by a write that fails half-way.
/// </summary>
internal sealed class DiskSpace(DataDirectory data, IOptions<DataOptions> options)
{
    /// <summary>Bytes that may still be taken.</summary>
    public long Available => Math.Max(Free - options.Value.MinFreeBytes, 0);

    /// <summary>Bytes that are free on the disk of the data.</summary>
    public long Free => new DriveInfo(data.Root).AvailableFreeSpace;

    /// <summary>Size of that file system in bytes.</summary>
    public long Size => new DriveInfo(data.Root).TotalSize;

    /// <summary>The problem with storing anything new, or null.</summary>
    public Problem? ValidateFreeSpace() =>
        Free is var free && free < options.Value.MinFreeBytes
            ? Problems.StorageLow(free, options.Value.MinFreeBytes)
            : null;
}
