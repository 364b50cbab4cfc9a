package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"flowproof/drivers/load"
	"flowproof/drivers/target"
	"flowproof/reports"
)

func reportCommand(c console) *cobra.Command {
	var formats []string
	var out, folder string
	cmd := &cobra.Command{
		Use:   "report RECORD.json",
		Short: "Render a record again",
		Long: `report reads the record of a check, of a load run or of a comparison and renders it again.
Everything is in the record: nothing is sent. One format without --out goes to stdout.

With --history it reads all the records below a folder and writes one page, history.html,
that shows what became of each target over time, each point linked to its record.`,
		Example: `  flowproof report flowproof-out/check.json
  flowproof report flowproof-out/load.json --format csv,hgrm,openmetrics --out site
  flowproof report --history nightly`,
		Args: func(_ *cobra.Command, args []string) error {
			if folder != "" && len(args) > 0 {
				return misused("--history reads a folder; leave out %s, or leave out --history", args[0])
			}
			if folder == "" && len(args) != 1 {
				return misused("report renders one record: give the path of its JSON file")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if folder != "" {
				return history(c, folder, out)
			}
			record, err := reports.Read(args[0])
			if err != nil {
				return misused("%w", err)
			}
			if out == "" {
				if len(formats) != 1 {
					return misused("several formats cannot share stdout; give --out FOLDER")
				}
				if err := reports.Render(formats[0], c.out, record); err != nil {
					return misused("%w", err)
				}
				return nil
			}
			if err := mayWrite(out); err != nil {
				return err
			}
			name := strings.TrimSuffix(filepath.Base(args[0]), filepath.Ext(args[0]))
			for _, format := range formats {
				path, err := render(record, format, out, name)
				if err != nil {
					return misused("%w", err)
				}
				fmt.Fprintln(c.out, path)
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&formats, "format", []string{"text"}, "the `formats`, several with commas (see: flowproof list formats)")
	cmd.Flags().StringVar(&folder, "history", "", "the `folder` of records, one page of which is made")
	cmd.Flags().StringVar(&out, "out", "", "the `folder` that the files go to, named after the record")
	return cmd
}

func schemaCommand(c console) *cobra.Command {
	kinds := []string{"target", "plan", "waivers", "conformance", "load", "comparison"}
	return &cobra.Command{
		Use:   "schema target|plan|waivers|conformance|load|comparison",
		Short: "Print the JSON Schema of a file",
		Long: `schema prints the JSON Schema of the target, the plan or the waivers file, or of a record. An editor that is told
of it completes and checks the file:

  flowproof schema target > target.schema.json
  # yaml-language-server: $schema=target.schema.json   (first line of the target file)`,
		Example: `  flowproof schema target > target.schema.json
  flowproof schema plan`,
		ValidArgs: kinds,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misused("schema prints one: %s", strings.Join(kinds, ", "))
			}
			text := reports.Schema(args[0])
			switch args[0] {
			case "target":
				text = target.Schema()
			case "plan":
				text = load.Schema()
			}
			if len(text) == 0 {
				return misused("there is no schema %q; there are %s", args[0], strings.Join(kinds, ", "))
			}
			_, err := c.out.Write(text)
			if err != nil {
				return unable("write the schema: %w", err)
			}
			return nil
		},
	}
}
