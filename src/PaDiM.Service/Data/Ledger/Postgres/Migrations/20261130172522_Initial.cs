using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace PaDiM.Service.Data.Ledger.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "ledger");

            migrationBuilder.CreateTable(
                name: "Inspections",
                schema: "ledger",
                columns: table => new
                {
                    Key = table.Column<long>(type: "bigint", nullable: false),
                    Id = table.Column<string>(type: "text", maxLength: 80, nullable: false, collation: "C"),
                    Category = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    Part = table.Column<string>(type: "text", maxLength: 128, nullable: true, collation: "C"),
                    Station = table.Column<string>(type: "text", maxLength: 128, nullable: true, collation: "C"),
                    Lot = table.Column<string>(type: "text", maxLength: 128, nullable: true, collation: "C"),
                    Decision = table.Column<string>(type: "text", nullable: false),
                    Score = table.Column<double>(type: "double precision", nullable: false),
                    Threshold = table.Column<double>(type: "double precision", nullable: false),
                    PValue = table.Column<double>(type: "double precision", nullable: false),
                    DecidedBy = table.Column<string>(type: "text", maxLength: 64, nullable: true, collation: "C"),
                    ModelVersion = table.Column<int>(type: "integer", nullable: false),
                    ThresholdVersion = table.Column<int>(type: "integer", nullable: false),
                    Fallback = table.Column<bool>(type: "boolean", nullable: false),
                    Regions = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Warnings = table.Column<string>(type: "text", maxLength: 400, nullable: true, collation: "C"),
                    Width = table.Column<int>(type: "integer", nullable: false),
                    Height = table.Column<int>(type: "integer", nullable: false),
                    Sha256 = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    Layout = table.Column<string>(type: "text", maxLength: 200, nullable: true, collation: "C"),
                    Timings = table.Column<string>(type: "text", maxLength: 100, nullable: false, collation: "C"),
                    Replica = table.Column<string>(type: "text", maxLength: 253, nullable: false, collation: "C"),
                    ImageBytes = table.Column<long>(type: "bigint", nullable: true),
                    Verdict = table.Column<string>(type: "text", nullable: true),
                    Defect = table.Column<string>(type: "text", maxLength: 64, nullable: true, collation: "C"),
                    VerdictBy = table.Column<string>(type: "text", maxLength: 200, nullable: true, collation: "C"),
                    VerdictAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Inspections", x => x.Key);
                });

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Category_Decision_Key",
                schema: "ledger",
                table: "Inspections",
                columns: new[] { "Category", "Decision", "Key" });

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Category_Key",
                schema: "ledger",
                table: "Inspections",
                columns: new[] { "Category", "Key" });

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Category_Key_ImageBytes",
                schema: "ledger",
                table: "Inspections",
                columns: new[] { "Category", "Key", "ImageBytes" },
                filter: "\"ImageBytes\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Category_Part_Key",
                schema: "ledger",
                table: "Inspections",
                columns: new[] { "Category", "Part", "Key" },
                filter: "\"Part\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Category_Score_Key",
                schema: "ledger",
                table: "Inspections",
                columns: new[] { "Category", "Score", "Key" });

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Category_Verdict_Key",
                schema: "ledger",
                table: "Inspections",
                columns: new[] { "Category", "Verdict", "Key" },
                filter: "\"Verdict\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Id_Category",
                schema: "ledger",
                table: "Inspections",
                columns: new[] { "Id", "Category" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Open",
                schema: "ledger",
                table: "Inspections",
                columns: new[] { "Category", "Key" },
                filter: "\"Verdict\" IS NULL AND \"Decision\" <> 'Normal'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "Inspections",
                schema: "ledger");
        }
    }
}
