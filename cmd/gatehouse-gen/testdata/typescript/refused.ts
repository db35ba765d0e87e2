// What must not compile. tsc fails on each @ts-expect-error that nothing is wrong below.
import { createClient } from "gatehouse-client";

const baseUrl = "http://127.0.0.1";
const api = createClient({ baseUrl });
const name = "Oak chair";
const path = { item_id: "01935840-1c2b-7d3e-9f40-5a6b7c8d9e0f" };

export async function refused(): Promise<void> {
  // @ts-expect-error the price is missing
  await api.POST("/items", { body: { name } });
  // @ts-expect-error the price is a number
  await api.POST("/items", { body: { name, price: "129.9" } });
  // @ts-expect-error there is no such category
  await api.POST("/items", { body: { name, price: 1, category: "chair" } });
  // @ts-expect-error the body is missing
  await api.POST("/items");
  // @ts-expect-error the path parameter is missing
  await api.GET("/items/{item_id}");
  // @ts-expect-error the path parameter has another name
  await api.GET("/items/{item_id}", { params: { path: { id: path.item_id } } });
  // @ts-expect-error the limit is a number
  await api.GET("/items", { params: { query: { limit: "20" } } });
  // @ts-expect-error there is no such path
  await api.GET("/item");
  // @ts-expect-error the path has no such method
  await api.DELETE("/items");
  // @ts-expect-error the grant is one of the document
  await api.POST("/token", { body: { grant_type: "implicit", username: "dev", password: "x" } });

  const { data, error } = await api.GET("/items/{item_id}", { params: { path } });
  // @ts-expect-error there may be an error
  data.name;
  if (error === undefined) {
    data.name satisfies string;
    // @ts-expect-error a category may be absent
    data.category satisfies string;
    // @ts-expect-error an item has no such member
    data.colour;
  } else {
    error.errors?.[0]?.pointer satisfies string | undefined;
    // @ts-expect-error a problem has no such member
    error.message;
  }
}

export const clients = [
  // @ts-expect-error the scheme has another name
  createClient({ baseUrl, auth: { apiKey: "x" } }),
  // @ts-expect-error a user and a password
  createClient({ baseUrl, auth: { basic: "dev:x" } }),
  // @ts-expect-error the token is a text, and the function gives a number
  createClient({ baseUrl, auth: { oauth2: () => 1 } }),
  // @ts-expect-error nobody knows where the service is
  createClient({ auth: {} }),
];
