using Microsoft.Extensions.Options;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>
/// Reserves the last of the disk for the database. Requests that store data are refused before the disk is full instead
/// of failing half-way.
/// </summary>
internal sealed class DiskSpace(DataDirectory data, IOptions<DataOptions> options)
{
    /// <summary>Gets the number of bytes that may still be used.</summary>
    public long Available => Math.Max(Free - options.Value.MinFreeBytes, 0);

    /// <summary>Gets the number of free bytes on the disk of the data directory.</summary>
    public long Free => new DriveInfo(data.Root).AvailableFreeSpace;

    /// <summary>Gets the size of the file system in bytes.</summary>
    public long Size => new DriveInfo(data.Root).TotalSize;

    /// <summary>Gets the problem if nothing new can be stored, or null.</summary>
    public Problem? ValidateFreeSpace() =>
        Free is var free && free < options.Value.MinFreeBytes
            ? Problems.StorageLow(free, options.Value.MinFreeBytes)
            : null;

    /// <summary>Gets the problem if a file of this size cannot be stored, or null.</summary>
    public Problem? ValidateRoomFor(long bytes) =>
        Available is var available && bytes > available ? Problems.StorageShort(bytes, available) : null;
}
