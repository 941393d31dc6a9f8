using System;
using System.Linq;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace PaDiM.Service.Data.Ledger.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class InspectionCounts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "InspectionCounts",
                schema: "ledger",
                columns: table => new
                {
                    Category = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    Quarter = table.Column<long>(type: "bigint", nullable: false),
                    Replica = table.Column<string>(type: "text", maxLength: 253, nullable: false, collation: "C"),
                    Decision = table.Column<string>(type: "text", nullable: false),
                    P0 = table.Column<int>(type: "integer", nullable: false),
                    P1 = table.Column<int>(type: "integer", nullable: false),
                    P2 = table.Column<int>(type: "integer", nullable: false),
                    P3 = table.Column<int>(type: "integer", nullable: false),
                    P4 = table.Column<int>(type: "integer", nullable: false),
                    P5 = table.Column<int>(type: "integer", nullable: false),
                    P6 = table.Column<int>(type: "integer", nullable: false),
                    P7 = table.Column<int>(type: "integer", nullable: false),
                    P8 = table.Column<int>(type: "integer", nullable: false),
                    P9 = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_InspectionCounts", x => new { x.Category, x.Quarter, x.Replica, x.Decision });
                });

            migrationBuilder.CreateTable(
                name: "RetentionClocks",
                schema: "ledger",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false),
                    At = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_RetentionClocks", x => x.Id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_NotNormal",
                schema: "ledger",
                table: "Inspections",
                columns: new[] { "Category", "Score", "Key" },
                filter: "\"Decision\" <> 'Normal'");

            // Once for each statement, in an order in which no two statements wait for each other in a circle.
            var bins = Enumerable.Range(0, 10).ToArray();
            var columns = string.Join(", ", bins.Select(bin => $"\"P{bin}\""));
            var added = string.Join(", ", bins.Select(bin => $"\"P{bin}\" = counts.\"P{bin}\" + excluded.\"P{bin}\""));
            string Count(string rows, string sign) =>
                $"""
                INSERT INTO ledger."InspectionCounts" AS counts ("Category", "Quarter", "Replica", "Decision", {columns})
                SELECT "Category", ("Key" >> 10) / 900000000, "Replica", "Decision",
                    {string.Join(", ", bins.Select(bin => $"{sign} count(*) FILTER (WHERE LEAST(9, floor(\"PValue\" * 10)) = {bin})"))}
                FROM {rows} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
                ON CONFLICT ("Category", "Quarter", "Replica", "Decision") DO UPDATE SET {added};
                """;
            migrationBuilder.Sql(
                $"""
                CREATE FUNCTION ledger.padim_count_new() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    {Count("changed", "")}
                    RETURN NULL;
                END $$;
                CREATE FUNCTION ledger.padim_count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    {Count("changed", "-")}
                    DELETE FROM ledger."InspectionCounts" AS counts
                    USING (SELECT DISTINCT "Category", ("Key" >> 10) / 900000000 AS quarter FROM changed) AS touched
                    WHERE counts."Category" = touched."Category" AND counts."Quarter" = touched.quarter
                        AND {string.Join(" AND ", bins.Select(bin => $"\"P{bin}\" = 0"))};
                    RETURN NULL;
                END $$;
                CREATE TRIGGER padim_count_new AFTER INSERT ON ledger."Inspections"
                    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ledger.padim_count_new();
                CREATE TRIGGER padim_count_deleted AFTER DELETE ON ledger."Inspections"
                    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ledger.padim_count_deleted();
                {Count("ledger.\"Inspections\"", "")}
                """
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                DROP TRIGGER padim_count_new ON ledger."Inspections";
                DROP TRIGGER padim_count_deleted ON ledger."Inspections";
                DROP FUNCTION ledger.padim_count_new();
                DROP FUNCTION ledger.padim_count_deleted();
                """
            );
            migrationBuilder.DropIndex(
                name: "IX_Inspections_NotNormal",
                schema: "ledger",
                table: "Inspections");

            migrationBuilder.DropTable(
                name: "InspectionCounts",
                schema: "ledger");

            migrationBuilder.DropTable(
                name: "RetentionClocks",
                schema: "ledger");
        }
    }
}
