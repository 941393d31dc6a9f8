using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace PaDiM.Service.Data;

/// <summary>Lets <c>dotnet ef migrations add</c> see both models without starting the service or a server.</summary>
internal sealed class DesignTimeContext
    : IDesignTimeDbContextFactory<PadimDbContext>,
        IDesignTimeDbContextFactory<PostgresDbContext>
{
    PadimDbContext IDesignTimeDbContextFactory<PadimDbContext>.CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<PadimDbContext>().UseSqlite("Data Source=design.db").Options);

    PostgresDbContext IDesignTimeDbContextFactory<PostgresDbContext>.CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<PostgresDbContext>().UseNpgsql("Host=design;Database=design").Options);
}
